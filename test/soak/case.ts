/** A case of the soak: a world, and what is done in it and to it at which time. Written as YAML, it can be played again. */
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { faultSchema } from '../../activities/simulator/faults.js';
import { haPolicies, recoveryModes } from '../../model/incident.js';

/** Those that every world has. */
export const flavors = {
  small: { vcpus: 1, memoryMiB: 1024, diskGiB: 0 },
  large: { vcpus: 4, memoryMiB: 8192, diskGiB: 0 },
  roomy: { vcpus: 2, memoryMiB: 2048, diskGiB: 60 },
} as const;
export const flavorNames = Object.keys(flavors) as (keyof typeof flavors)[];

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
    which: z.enum(['control', 'recovery', 'north', 'south', 'hosts']),
    what: z.enum(['crash', 'redeploy', 'stop', 'start']),
  }),
  z.strictObject({
    at,
    do: z.enum(['abort', 'force-complete']),
    of: about,
    way: z.enum(['downtime', 'post-copy', 'pause']).nullable(),
  }),
  z
    .strictObject({ at, do: z.literal('person'), answers: z.enum(['approve', 'reject', 'attest']) })
    .describe(
      'Looks at what recoveries ask, and answers what can be answered so; power is cut before it is attested.',
    ),
  z.strictObject({
    at,
    do: z.literal('switch'),
    mode: z.enum(recoveryModes),
    zone: z.string().nullable(),
    seconds: z.int().min(1).nullable(),
  }),
]);
export type Action = z.output<typeof actionSchema>;

const caseSchema = z.strictObject({
  seed: z.int().min(0),
  hosts: z
    .array(
      z.strictObject({
        name: z.string(),
        rack: z.string(),
        slots: z.int().min(1),
        zone: z.string().nullable().default(null),
        small: z.boolean().default(false).describe('Has room for few guests'),
        watchdog: z
          .int()
          .min(1)
          .optional()
          .describe('Armed: seconds after which it resets itself when cut off'),
      }),
    )
    .min(1),
  /** What drover.yaml says of recoveries. */
  rules: z
    .strictObject({
      hung: z.enum(['ask', 'fence']),
      readmit: z.enum(['manual', 'auto']),
      settleSeconds: z.int().min(0),
      budget: z.strictObject({ zone: z.int().min(1), fleet: z.int().min(1), windowSeconds: z.int().min(1) }),
    })
    .optional(),
  instances: z.array(
    z.strictObject({
      name: z.string(),
      host: z.string(),
      state: z.enum(['active', 'paused', 'stopped']),
      local: z.boolean(),
      ha: z.enum(haPolicies).optional(),
      dirty: z.number().min(0).default(0).describe('MiB per second that it writes to its memory'),
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
