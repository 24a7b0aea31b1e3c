/** The inputs that a runbook declares, and the values that they take. */
import { z } from 'zod';
import { durationSchema } from './duration.js';

const description = z.string().optional().describe('What it is for, told to whoever runs the runbook.');

const texts = (type: 'string' | 'host' | 'instance' | 'flavor', what: string) =>
  z
    .strictObject({
      type: z.literal(type).describe(what),
      description,
      enum: z.array(z.string()).min(1).optional().describe('The only values that are allowed.'),
      default: z
        .string()
        .optional()
        .describe('Taken when none is given. Without a default the input is required.'),
    })
    .describe(what);

const numbers = <Type extends 'integer' | 'number'>(
  type: Type,
  value: z.ZodNumber | z.ZodInt,
  what: string,
) =>
  z
    .strictObject({
      type: z.literal(type).describe(what),
      description,
      minimum: value.optional().describe('The least value that is allowed.'),
      maximum: value.optional().describe('The greatest value that is allowed.'),
      default: value
        .optional()
        .describe('Taken when none is given. Without a default the input is required.'),
    })
    .describe(what);

export const runbookInputSchema = z.discriminatedUnion('type', [
  texts('string', 'A text.'),
  texts('host', 'The name or id of a host.'),
  texts('instance', 'The name or id of an instance.'),
  texts('flavor', 'The name or id of a flavor.'),
  numbers('integer', z.int(), 'A whole number.'),
  numbers('number', z.number(), 'A number.'),
  z
    .strictObject({
      type: z.literal('boolean').describe('true or false.'),
      description,
      default: z
        .boolean()
        .optional()
        .describe('Taken when none is given. Without a default the input is required.'),
    })
    .describe('true or false.'),
  z
    .strictObject({
      type: z.literal('duration').describe('A length of time: 90s, 10m, 2h.'),
      description,
      default: durationSchema
        .optional()
        .describe('Taken when none is given. Without a default the input is required.'),
    })
    .describe(
      'A length of time: 90s, 10m, 2h. In expressions it is a text; duration(inputs.x) makes it comparable.',
    ),
  z
    .strictObject({
      type: z.literal('list').describe('A list of texts.'),
      description,
      default: z
        .array(z.string())
        .optional()
        .describe('Taken when none is given. Without a default the input is required.'),
    })
    .describe('A list of texts; on the command line `--input name=a,b,c`.'),
]);

export type RunbookInput = z.infer<typeof runbookInputSchema>;

/** The schema of the value of one declared input. */
export function inputValueSchema(input: RunbookInput): z.ZodType {
  switch (input.type) {
    case 'integer':
    case 'number': {
      const base = input.type === 'integer' ? z.int() : z.number();
      return base
        .min(input.minimum ?? -Number.MAX_SAFE_INTEGER)
        .max(input.maximum ?? Number.MAX_SAFE_INTEGER);
    }
    case 'boolean':
      return z.boolean();
    case 'duration':
      return durationSchema;
    case 'list':
      return z.array(z.string());
    case 'string':
    case 'host':
    case 'instance':
    case 'flavor':
      break;
  }
  if (input.enum !== undefined) return z.enum(input.enum);
  return input.type === 'string' ? z.string() : z.string().min(1);
}
