/** Finds the part of a zod schema that belongs to a place in a value. */
import { z } from 'zod';
import type { Path } from './issues.js';

/** The keys that a mapping at that place may have. */
export function keysAt(schema: z.ZodType, path: Path): string[] {
  return schemasAt(schema, path).flatMap((found) => {
    const inner = unwrapped(found);
    return inner.flatMap((option) => (option instanceof z.ZodObject ? Object.keys(option.shape) : []));
  });
}

/** The schemas that may hold for that place: more than one where a union leaves it open. */
export function schemasAt(schema: z.ZodType, path: Path): z.ZodType[] {
  return path.reduce<z.ZodType[]>((found, part) => found.flatMap((outer) => within(outer, part)), [schema]);
}

function within(outer: z.ZodType, part: PropertyKey): z.ZodType[] {
  return unwrapped(outer).flatMap((schema): z.ZodType[] => {
    if (schema instanceof z.ZodObject) {
      const inner: unknown = Object.hasOwn(schema.shape, part) ? schema.shape[String(part)] : undefined;
      return inner instanceof z.ZodType ? [inner] : [];
    }
    if (schema instanceof z.ZodArray) return schema.element instanceof z.ZodType ? [schema.element] : [];
    if (schema instanceof z.ZodRecord) return schema.valueType instanceof z.ZodType ? [schema.valueType] : [];
    return [];
  });
}

/** Without optional, default and union around it. */
function unwrapped(schema: z.ZodType): z.ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    const inner: unknown = schema.unwrap();
    return inner instanceof z.ZodType ? unwrapped(inner) : [];
  }
  if (schema instanceof z.ZodUnion) {
    return schema.options.flatMap((option: unknown) =>
      option instanceof z.ZodType ? unwrapped(option) : [],
    );
  }
  return [schema];
}
