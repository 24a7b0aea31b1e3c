/**
 * The shape of a runbook. These schemas check the file, are the types that the interpreter works on, and
 * become the JSON Schema that editors complete from: each description is read by the author of a runbook.
 */
import { z } from 'zod';
import { runbookInputSchema } from './runbook-inputs.js';
import {
  conditionSchema,
  countOrTemplate,
  durationOrTemplate,
  identifier,
  template,
  usesSchema,
  withSchema,
} from './runbook-words.js';
import { permissionsSchema } from './permissions.js';
import { triggersSchema } from './triggers.js';

/**
 * Version of the language in a frozen runbook: an old run goes on with the meaning it started with.
 * 1: steps with uses, for-each, undo. 2: parallel, retry, timeout, on-failure, finally, continue-on-error, approve,
 * wait, until, outputs of steps, concurrency, sub-runbooks; items are rows, long loops run in batches.
 */
export const LANGUAGE_VERSION = 2;
export const languageVersions = [1, 2] as const;

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
      'after each round, until it is empty or nothing is left that could be tried. The with of the step sees `item` and ' +
      '`index` (from 0). Above 250 items it runs in batches, and steps.ID.result is then an empty list.',
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

const retrySchema = z.strictObject({
  attempts: z.int().min(2).max(20).describe('How often it is tried in all, the first time included.'),
  backoff: durationOrTemplate
    .default('10s')
    .describe('How long to wait before the second attempt. Default: 10s.'),
  factor: z
    .number()
    .min(1)
    .max(10)
    .default(2)
    .describe('Each further wait is so many times longer. Default: 2.'),
  'max-backoff': durationOrTemplate.default('5m').describe('No wait is longer than this. Default: 5m.'),
  on: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'The codes of errors that are tried again, such as [HypervisorUnreachable, MigrationFailed]; docs/runbooks.md lists ' +
        'them. Default: every error but wrong input, a refusal by state, lock or permission, and a cancel.',
    ),
});

export type Retry = z.infer<typeof retrySchema>;

const approveSchema = z.strictObject({
  message: z.string().min(1).optional().describe('What whoever approves should know. May hold expressions.'),
  from: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'Who may approve: names, role:operator or role:admin. Default: every operator and administrator.',
    ),
  count: z.int().min(1).max(10).default(1).describe('How many different persons must approve. Default: 1.'),
  within: durationOrTemplate.default('24h').describe('How long it waits for them. Default: 24h.'),
  otherwise: z
    .enum(['reject', 'approve'])
    .default('reject')
    .describe(
      'What happens when that time is over: reject (default) ends the step as rejected, approve goes on.',
    ),
});

export type Approve = z.infer<typeof approveSchema>;

const plainStepShape = {
  id: identifier.describe(
    'The name of the step in expressions (steps.ID) and in reports. Small letters, digits and _.',
  ),
  name: z
    .string()
    .min(1)
    .optional()
    .describe('What the step does, as a line in the progress. May hold expressions.'),
  uses: usesSchema.optional(),
  with: withSchema.optional(),
  if: conditionSchema('inputs.parallel > 1')
    .optional()
    .describe(
      'The step runs only when this is true. Asked once, before for-each lists its items. ${{ }} may be left out.',
    ),
  'for-each': forEachSchema.optional(),
  'max-parallel': countOrTemplate(1, 'a whole number from 1')
    .optional()
    .describe('How many items run at the same time. Default: 1.'),
  'max-failures': z
    .union([z.int().min(0), z.string().regex(/^(100|\d{1,2})%$/), template('a whole number from 0')], {
      error:
        'must be a whole number from 0, a part such as 10%, or an expression ${{ … }} that gives one of them',
    })
    .optional()
    .describe(
      'How many items may fail, or which part of those listed (10%), before no further one is started. Default: 0. Refused ' +
        'items (locked, busy, no valid host) are reported, not counted.',
    ),
  approve: approveSchema
    .optional()
    .describe(
      'Waits for people before the step begins; they are shown what it will work on, and it works on exactly that. A step ' +
        'with nothing else is a gate. `drover run approve ID`.',
    ),
  wait: durationOrTemplate.optional().describe('A step that only waits this long. Survives any restart.'),
  until: conditionSchema('result.all(h, h.state == "up")')
    .optional()
    .describe('For a query: it is asked again until this is true of its `result`. Needs a timeout.'),
  every: durationOrTemplate.optional().describe('How long to wait between two looks of until. Default: 10s.'),
  retry: retrySchema
    .optional()
    .describe('Tries again what failed: an item of for-each by itself, else the whole step.'),
  timeout: durationOrTemplate
    .optional()
    .describe(
      'How long the step may take, with its retries. Then what it has running is cancelled and it fails as TimedOut.',
    ),
  'continue-on-error': z
    .boolean()
    .optional()
    .describe('The run goes on when the step has failed or was rejected. The step itself is told as failed.'),
  outputs: z
    .record(identifier, z.unknown())
    .optional()
    .describe(
      'Values by name, for steps.ID.outputs.NAME in later steps. They see what the step sees, its `result`, and the steps of ' +
        'its parallel.',
    ),
  undo: undoSchema
    .optional()
    .describe(
      'Taken back by this operation when the run is cancelled; undos run last first, of a for-each for each item that ' +
        'was done. Sees what the step sees, and the step itself.',
    ),
};

const plainStepSchema = z.strictObject(plainStepShape);

const onFailure = (when: string) =>
  z
    .array(plainStepSchema)
    .min(1)
    .max(20)
    .describe(
      `Run one after the other when ${when}, which stays failed. They see \`error\` (code, message).`,
    );

const stepSchema = z.strictObject({
  ...plainStepShape,
  parallel: z
    .array(plainStepSchema)
    .min(2, { error: 'must hold at least two steps: one alone runs as it is' })
    .max(20)
    .optional()
    .describe('Steps that run at the same time. All are waited for, also when one fails.'),
  'on-failure': onFailure('the step has failed').optional(),
});

/** A step within `parallel`, `on-failure` and `finally`: without these in it. */
export type PlainStep = z.infer<typeof plainStepSchema>;
export type Step = z.infer<typeof stepSchema>;

const concurrencySchema = z
  .union([
    z.string().min(1),
    z.strictObject({
      key: z
        .string()
        .min(1)
        .describe('Runs with the same key run one at a time. May hold expressions of inputs.'),
      wait: durationOrTemplate
        .default('0s')
        .describe('How long to wait for the one before. Default: refused at once.'),
    }),
  ])
  .describe(
    'Runs with the same key run one at a time: drain-${{ inputs.host }}. The runbook that holds it does not matter.',
  );

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
    on: triggersSchema.optional(),
    permissions: permissionsSchema.optional(),
    steps: z
      .array(stepSchema)
      .min(1, { error: 'must hold at least one step' })
      .max(100)
      .describe('Run one after the other.'),
    concurrency: concurrencySchema.optional(),
    'on-failure': onFailure('the run has failed').optional(),
    finally: z
      .array(plainStepSchema)
      .min(1)
      .max(20)
      .optional()
      .describe('Run at the end, however it ended; a cancel does not reach them.'),
    outputs: z
      .record(identifier, z.unknown())
      .default({})
      .describe('What the run tells at its end, by name; may use all steps: ${{ steps.move.done }}.'),
  })
  .describe('A drover runbook.');

/** A runbook as the interpreter takes it: checked, with keys as in the file. */
export type Runbook = z.infer<typeof runbookSchema>;

export const frozenRunbookSchema = z.object({
  language: z.literal(languageVersions),
  name: z.string(),
  /** sha256 of `source`, in hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** The text of the file, byte for byte. */
  source: z.string(),
  runbook: runbookSchema,
});

/** What a run carries: edits of the file don't reach a run that has started. */
export interface FrozenRunbook extends z.infer<typeof frozenRunbookSchema> {
  /** The runbooks that its steps use (runbook.NAME), by name, each with those that it uses itself. */
  runbooks?: Record<string, FrozenRunbook>;
}

/** Every step of a runbook in the order of the file, with those within parallel, on-failure and finally. */
export function allSteps(runbook: Runbook): PlainStep[] {
  return [
    ...runbook.steps.flatMap((step) => [step, ...(step.parallel ?? []), ...(step['on-failure'] ?? [])]),
    ...(runbook['on-failure'] ?? []),
    ...(runbook.finally ?? []),
  ];
}
