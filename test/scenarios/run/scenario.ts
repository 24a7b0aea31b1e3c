/** A scenario file: a datacenter, what goes wrong in it, and what people ask for meanwhile. */
import { z } from 'zod';
import { faultSchema } from '../../../activities/simulator/faults.js';
import { recoverySchema } from '../../../config/recovery.js';
import { durationSchema } from '../../../model/duration.js';
import { haPolicies, recoveryModes } from '../../../model/incident.js';
import { groupPolicies } from '../../../model/host.js';
import { movePolicy, restartPolicies } from '../../../model/instance.js';
import { byHand } from './by-hand.js';
import { inventoryStates } from './inventory-is.js';
import { formatIssues, readYaml } from '../../../config/yaml-file.js';

const timePattern = /^(\d+(?:\.\d+)?)(s|m|h|d)$/;
const timeSchema = z
  .string()
  .regex(timePattern, { error: 'must be a time since the beginning, such as 0s, 1.5s, 10m or 2h' });

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** ms since the beginning. */
export function msOf(time: string): number {
  const [, count, unit] = timePattern.exec(time) ?? [];
  return Math.round(Number(count) * units[(unit ?? 's') as keyof typeof units]);
}

const at = timeSchema.default('0s').describe('When, since the beginning');
const by = z.string().default('anna').describe('Who asks');
const role = z.enum(['viewer', 'operator', 'admin']);
const as = z.string().min(1).optional().describe('What the log and later events call it');
const given = z
  .record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.record(z.string(), z.string())]),
  )
  .default({});
const comment = z.string().nullable().default(null);

/** What goes wrong at one call of an operation. */
const trouble = z.strictObject({
  call: z.string().describe('As the log calls it: migrateGuest, removeDisk on h2'),
  when: z
    .enum(['before', 'within', 'after'])
    .default('within')
    .describe(
      'Before it, within it (it was admitted and did nothing yet), or after it, before its answer is heard',
    ),
  fault: faultSchema.optional().describe('What happens in the datacenter at this moment'),
  stall: timeSchema.optional().describe('The worker stands still so long'),
  'lose-local-disks': z.string().optional().describe('Disks on the own storage of this host are gone'),
  'kill-worker': z.boolean().default(false),
  'lose-answer': z.boolean().default(false),
  cancel: z.boolean().default(false),
  terminate: z.boolean().default(false),
  reset: z
    .boolean()
    .default(false)
    .describe('As from the Temporal UI; the old attempt goes on with what it does'),
});
export type ScenarioTrouble = z.output<typeof trouble>;
const troubles = z.array(trouble).default([]);

const about = <K extends string>(kind: K, says: string) =>
  z
    .strictObject({ do: z.literal(kind), at, of: z.string().describe('The `as` of what was started') })
    .describe(says);

const decision = <K extends string>(kind: K) =>
  z.strictObject({
    do: z.literal(kind),
    at,
    of: z.string(),
    by,
    role: role.default('operator'),
    comment,
    step: z.string().nullable().default(null),
  });

const worker = <K extends string>(kind: K, says: string) =>
  z
    .strictObject({
      do: z.literal(kind),
      at,
      worker: z.enum(['control', 'recovery', 'hosts']).default('control'),
    })
    .describe(says);

export const actionSchema = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('operation'),
    at,
    uses: z.string().describe('instance.live-migrate'),
    with: given,
    as,
    by,
    role: role.default('admin'),
    again: z.string().optional().describe('The same request (the same id) as this one before'),
    troubles,
  }),
  z.strictObject({
    do: z.literal('runbook'),
    at,
    uses: z.string().describe('A shipped one by its name, or the file beside: ./patch.yaml'),
    with: given,
    as,
    by,
    role: role.default('operator').describe('Runs of administrators act as operator, unless by --force'),
    troubles: troubles.describe('Of the operations that it starts'),
  }),
  about('retry', 'Another run works on what that one left.').extend({ as, by }),
  decision('approve'),
  decision('reject'),
  decision('pause').omit({ step: true }),
  decision('resume').omit({ step: true }),
  decision('cancel')
    .omit({ step: true })
    .extend({
      undo: z.boolean().default(true).describe('Of a run: take back what the runbook says'),
    }),
  decision('attest')
    .omit({ step: true })
    .extend({ role: role.default('admin') }),
  z
    .strictObject({
      do: z.literal('switch'),
      at,
      mode: z.enum(recoveryModes),
      zone: z.string().nullable().default(null),
      for: durationSchema.optional(),
      reason: z.string().default('a test'),
      by,
    })
    .describe('What recoveries may do, as by `drover recovery`.'),
  about('abort', 'Of a live migration: it is asked to, as by `drover instance abort-migration`.').extend({
    by,
    role: role.default('operator'),
  }),
  about('force-complete', 'Of a live migration, as by `drover instance force-complete`.').extend({
    by,
    role: role.default('operator'),
    way: z.enum(['downtime', 'post-copy', 'pause']).nullable().default(null),
  }),
  about('terminate', 'As from the Temporal UI: the workflow never hears of anything again.'),
  about('reset', 'As from the Temporal UI: the workflow begins again.'),
  z.strictObject({ do: z.literal('lock'), at, instance: z.string(), reason: z.string(), by }),
  z.strictObject({ do: z.literal('unlock'), at, instance: z.string(), by }),
  z
    .strictObject({
      do: z.literal('by-hand'),
      at,
      instance: z.string(),
      host: z.string(),
      what: z.enum(Object.keys(byHand) as (keyof typeof byHand)[]),
    })
    .describe('What somebody does behind the back of drover.'),
  z
    .strictObject({
      do: z.literal('audit'),
      at,
      repair: z.boolean().default(false),
      adopt: z.boolean().default(false),
      'remove-orphan-disks': z.boolean().default(false),
    })
    .describe('The inventory is compared with the hypervisors; what was found is told at the end.'),
  z
    .strictObject({ do: z.literal('fence-check'), at })
    .describe('The fence devices of all hosts are asked, and what is armed on them.'),
  z
    .strictObject({ do: z.literal('inventory'), at, is: z.enum(inventoryStates) })
    .describe('Its disk is full and free again; a backup is made, and restored.'),
  worker('kill-worker', 'SIGKILL; systemd starts it again at once.'),
  worker('stop-worker', 'SIGKILL, and nobody starts it again.'),
  worker('start-worker', 'Somebody starts it again.'),
  worker('deploy', 'SIGTERM, and another one takes its place.'),
  z.strictObject({ do: z.literal('look'), at, of: z.string() }).describe('Logs where a run stands.'),
]);
export type Action = z.output<typeof actionSchema>;

/** The simulator's own faults, at times as fine as a migration needs. */
const timedFaultSchema = z.looseObject({ at: timeSchema }).transform(({ at: time, ...rest }, context) => {
  const fault = faultSchema.safeParse(rest);
  if (fault.success) return { at: time, fault: fault.data };
  for (const { message, path } of fault.error.issues) context.addIssue({ code: 'custom', message, path });
  return z.NEVER;
});

const hostSchema = z.strictObject({
  name: z.string(),
  rack: z.string().default('rack-1'),
  vcpus: z.int().positive().default(32),
  memory: z.int().positive().default(131_072).describe('MiB'),
  slots: z.int().positive().default(2).describe('Live migrations at a time'),
  zone: z.string().nullable().default(null),
  labels: z.record(z.string(), z.string()).default({}),
  reserved: z.boolean().default(false).describe('Kept free for what is evacuated'),
  'control-plane': z.boolean().default(false).describe('It is never fenced'),
  generation: z.int().positive().default(1).describe('Of its processors: a later one does more'),
});

const flavorSchema = z.strictObject({
  name: z.string(),
  vcpus: z.int().positive(),
  memory: z.int().positive().describe('MiB'),
  disk: z.int().nonnegative().default(0).describe('GiB; 0 keeps the disk'),
});

const instanceSchema = z.strictObject({
  name: z.string(),
  host: z.string(),
  count: z.int().min(1).default(1).describe('So many of them: name-1, name-2, …'),
  state: z.enum(['active', 'paused', 'suspended', 'stopped']).default('active'),
  policy: movePolicy.optional().describe('How far its live migrations may go'),
  mixed: z.boolean().default(false).describe("A second disk on its host's own storage"),
  group: z.string().optional().describe('The server group in which it is'),
  restart: z.enum(restartPolicies).default('never').describe('When drover starts it again by itself'),
  ha: z.enum(haPolicies).default('3').describe('When it is brought back from a lost host'),
  vcpus: z.int().positive().default(1),
  memory: z.int().positive().default(1024).describe('MiB'),
  disk: z.int().positive().default(8).describe('GiB'),
  local: z.boolean().default(false).describe("Its disk is on its host's own storage"),
  dirty: z.number().nonnegative().optional().describe('MiB of memory that it writes per second; default 20'),
  deaf: z.boolean().default(false).describe('It does not go down when it is asked to'),
  locked: z.string().optional().describe('The reason'),
  stranger: z.boolean().default(false).describe('The inventory does not know it'),
});

export const scenarioFileSchema = z.strictObject({
  seed: z.int().default(1),
  hosts: z.array(hostSchema).min(1),
  placement: z.enum(['spread', 'pack']).default('spread'),
  groups: z
    .record(z.string(), z.enum(groupPolicies))
    .default({})
    .describe('Server groups and their policies'),
  flavors: z.array(flavorSchema).default([]),
  instances: z.array(instanceSchema).default([]),
  recovery: recoverySchema,
  janitor: z.boolean().default(true).describe('Every 30 s, as Temporal starts it'),
  faults: z.array(timedFaultSchema).default([]),
  do: z.array(actionSchema).min(1),
  until: timeSchema.optional().describe('Default: until nothing is under way'),
  show: z
    .array(z.enum(['starts', 'phase', 'state', 'call', 'fault', 'ends', 'world']))
    .default(['starts', 'phase', 'state', 'fault', 'ends', 'world']),
});
export type Scenario = z.output<typeof scenarioFileSchema>;

/** Throws with every place that is wrong. */
export function parseScenario(source: string, file: string): Scenario {
  const { value, issues } = readYaml(source, file, scenarioFileSchema);
  if (value === undefined) throw new Error(`${file} is no scenario:\n${formatIssues(issues)}`);
  return value;
}
