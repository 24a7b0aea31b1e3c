/**
 * The shape of a runbook. These schemas check the file, are the types that the interpreter works on, and
 * become the JSON Schema that editors complete from: each description is read by the author of a runbook.
 */
import { z } from 'zod';
import { durationSchema } from './duration.js';

/** Version of the language in a frozen runbook: an old run goes on with the meaning it started with. */
export const LANGUAGE_VERSION = 1;

/** Names that expressions use: `inputs.max_failures`, `steps.move`. CEL would read a `-` as minus. */
const identifierPattern = /^[a-z][a-z0-9_]{0,62}$/;

const identifierRule = 'must begin with a small letter and go on with small letters, digits and _';
const identifier = z.string().regex(identifierPattern, { error: identifierRule });

const description = z.string().optional().describe('What it is for, told to whoever runs the runbook.');

const texts = (type: 'string' | 'host' | 'instance' | 'flavor', what: string) =>
  z
    .strictObject({
      type: z.literal(type),
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
      type: z.literal(type),
      description,
      minimum: value.optional().describe('The least value that is allowed.'),
      maximum: value.optional().describe('The greatest value that is allowed.'),
      default: value
        .optional()
        .describe('Taken when none is given. Without a default the input is required.'),
    })
    .describe(what);

const runbookInputSchema = z.discriminatedUnion('type', [
  texts('string', 'A text.'),
  texts('host', 'The name or id of a host.'),
  texts('instance', 'The name or id of an instance.'),
  texts('flavor', 'The name or id of a flavor.'),
  numbers('integer', z.int(), 'A whole number.'),
  numbers('number', z.number(), 'A number.'),
  z
    .strictObject({
      type: z.literal('boolean'),
      description,
      default: z
        .boolean()
        .optional()
        .describe('Taken when none is given. Without a default the input is required.'),
    })
    .describe('true or false.'),
  z
    .strictObject({
      type: z.literal('duration'),
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
      type: z.literal('list'),
      description,
      default: z
        .array(z.string())
        .optional()
        .describe('Taken when none is given. Without a default the input is required.'),
    })
    .describe('A list of texts; on the command line `--input name=a,b,c`.'),
]);

export type RunbookInput = z.infer<typeof runbookInputSchema>;

const template = (what: string) =>
  z.string().regex(/\$\{\{/, { error: `must be ${what}, or an expression \${{ … }} that gives one` });

const countOrTemplate = (minimum: number, what: string) =>
  z.union([z.int().min(minimum), template(what)], {
    error: `must be ${what}, or an expression \${{ … }} that gives one`,
  });

const withSchema = z
  .record(z.string(), z.unknown())
  .describe(
    'The input of the operation: `drover runbook schema` lists it for each. Values may hold expressions ${{ … }}.',
  );

const usesSchema = z
  .string()
  .min(1)
  .describe('The operation to run, such as instance.live-migrate or host.disable.');

const queryLoopSchema = z.strictObject({
  query: z.string().min(1).describe('What to list: instances, hosts.'),
  with: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('What to list it by, such as { host: "${{ inputs.host }}" }.'),
});

const forEachSchema = z
  .union([template('a list'), z.array(z.unknown()), queryLoopSchema], {
    error: 'must be a list, an expression ${{ … }} that gives one, or { query: …, with: … }',
  })
  .describe(
    'Runs the step once for each item: of a list, of an expression that gives a list, or of a query. A query is asked again ' +
      'after each round, until it is empty or nothing is left that could be tried. The step sees `item` and `index` (from 0).',
  );

export type ForEach = z.infer<typeof forEachSchema>;

const undoSchema = z.strictObject({
  uses: usesSchema,
  with: withSchema.optional(),
  if: z
    .union([z.boolean(), z.string().min(1)], {
      error: 'must be a condition, such as steps.disable.result.was.enabled',
    })
    .optional()
    .describe('Taken back only when this is true. Sees the step itself among the steps.'),
});

export type Undo = z.infer<typeof undoSchema>;

const stepSchema = z.strictObject({
  id: identifier.describe(
    'The name of the step in expressions (steps.ID) and in reports. Small letters, digits and _.',
  ),
  name: z
    .string()
    .min(1)
    .optional()
    .describe('What the step does, as a line in the progress. May hold expressions.'),
  uses: usesSchema,
  with: withSchema.optional(),
  if: z
    .union([z.boolean(), z.string().min(1)], { error: 'must be a condition, such as inputs.parallel > 1' })
    .optional()
    .describe(
      'The step runs only when this is true. Asked once, before for-each lists its items. ${{ }} may be left out.',
    ),
  'for-each': forEachSchema.optional(),
  'max-parallel': countOrTemplate(1, 'a whole number from 1')
    .optional()
    .describe('How many items run at the same time. Default: 1.'),
  'max-failures': countOrTemplate(0, 'a whole number from 0')
    .optional()
    .describe(
      'How many items may fail before no further one is started. Default: 0. Refused items (locked, busy, no valid host) are reported, not counted.',
    ),
  undo: undoSchema
    .optional()
    .describe(
      'Taken back by this operation when the run is cancelled; undos run last first. Sees what the step sees.',
    ),
});

export type Step = z.infer<typeof stepSchema>;

export const runbookSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/, {
        error: 'must begin with a small letter and go on with small letters, digits and -',
      })
      .describe('The name it is run by: `drover runbook run NAME`. Small letters, digits and -.'),
    description: z.string().min(1).describe('What the runbook does and when to take it.'),
    inputs: z
      .record(identifier, runbookInputSchema)
      .default({})
      .describe('What whoever runs it gives: `--input name=value`. In expressions: inputs.NAME.'),
    steps: z
      .array(stepSchema)
      .min(1, { error: 'must hold at least one step' })
      .max(100)
      .describe('Run one after the other.'),
    outputs: z
      .record(identifier, z.unknown())
      .default({})
      .describe('What the run tells at its end, by name; may use all steps: ${{ steps.move.done }}.'),
  })
  .describe('A drover runbook.');

/** A runbook as the interpreter takes it: checked, with keys as in the file. */
export type Runbook = z.infer<typeof runbookSchema>;

export const frozenRunbookSchema = z.object({
  language: z.literal(LANGUAGE_VERSION),
  name: z.string(),
  /** sha256 of `source`, in hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** The text of the file, byte for byte. */
  source: z.string(),
  runbook: runbookSchema,
});

/** What a run carries: edits of the file don't reach a run that has started. */
export type FrozenRunbook = z.infer<typeof frozenRunbookSchema>;

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
