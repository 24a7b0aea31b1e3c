/** A case of the soak: a world, and what is done in it and to it at which time. Written as YAML, it can be played again. */
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { faultSchema } from '../../activities/simulator/faults.js';

const at = z.number().min(0).describe('Virtual seconds since the beginning');
const about = z
  .string()
  .describe('What is meant: the id of an action, or the instance or host whose operation it is');
const values = z.record(z.string(), z.unknown());

const actionSchema = z.discriminatedUnion('do', [
  z.strictObject({ at, do: z.literal('operation'), id: z.string(), uses: z.string(), with: values }),
  z.strictObject({ at, do: z.literal('runbook'), id: z.string(), name: z.string(), with: values }),
  z.strictObject({ at, do: z.literal('again'), of: about }).describe('The same request once more.'),
  z.strictObject({ at, do: z.enum(['cancel', 'terminate', 'reset', 'pause', 'resume', 'keep']), of: about }),
  z.strictObject({ at, do: z.literal('fault'), fault: faultSchema }),
  z.strictObject({
    at,
    do: z.literal('worker'),
    which: z.enum(['control', 'hosts']),
    what: z.enum(['crash', 'redeploy', 'stop', 'start']),
  }),
  z.strictObject({ at, do: z.enum(['lock', 'unlock']), instance: z.string() }),
]);
export type Action = z.output<typeof actionSchema>;

const caseSchema = z.strictObject({
  seed: z.int().min(0),
  hosts: z.array(z.strictObject({ name: z.string(), rack: z.string(), slots: z.int().min(1) })).min(1),
  instances: z.array(
    z.strictObject({
      name: z.string(),
      host: z.string(),
      state: z.enum(['active', 'paused', 'stopped']),
      local: z.boolean(),
      vcpus: z.int().min(1),
      'memory-mib': z.int().min(1),
    }),
  ),
  actions: z.array(actionSchema),
  /** Then all faults are taken away: virtual seconds since the beginning. */
  heal: at,
});
export type Case = z.output<typeof caseSchema>;

export const readCase = (text: string): Case => caseSchema.parse(parse(text));

export const writeCase = (one: Case, says: readonly string[]): string =>
  `${says.map((line) => `# ${line}\n`).join('')}${stringify(one, { flowCollectionPadding: true, lineWidth: 0 })}`;
