/** Takes what a request holds by its schema; what is wrong is told with the place of each. */
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { checkSchema, pathText } from '../config/yaml-file.js';
import { DroverError } from '../model/errors.js';

const mostTold = 20;

/** Throws InvalidInput; `what` begins its message, and without a hint of the schema `hint` is told. */
export function inputOf<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  { what = '', hint = 'see /openapi.json for what it takes' }: { what?: string; hint?: string } = {},
): z.output<Schema> {
  const { value, issues } = checkSchema(schema, given);
  if (issues.length === 0) return value as z.output<Schema>;
  const told = issues.slice(0, mostTold).map((issue) => {
    const path = pathText(issue.path);
    const message = `${path === '' ? '' : `${path}: `}${issue.message}`;
    return { path, message, ...(issue.hint === undefined ? {} : { hint: issue.hint }) };
  });
  throw new DroverError('InvalidInput', what + told.map(({ message }) => message).join('; '), {
    details: { issues: told },
    hint: told[0]?.hint ?? hint,
  });
}

/** For routes whose schemas are zod's. A body that is left out is one without keys. */
export const validators: FastifySchemaCompiler<unknown> =
  ({ schema }) =>
  (given: unknown) => {
    try {
      return { value: inputOf(schema as z.ZodType, given ?? {}) };
    } catch (error) {
      if (error instanceof DroverError) return { error };
      throw error;
    }
  };
