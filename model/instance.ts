import { z } from 'zod';
import { haPolicies } from './incident.js';

/** What an instance is (OPERATIONS.md); what the hypervisor reports is its power state, what runs on it its task. */
export const instanceStates = [
  'building',
  'active',
  'paused',
  'suspended',
  'stopped',
  'rescued',
  'resized',
  'shelved',
  'shelved-offloaded',
  'error',
  'deleted',
] as const;
export const instanceState = z.enum(instanceStates);
export type InstanceState = z.infer<typeof instanceState>;

/** What a hypervisor reports of a guest. `migrating` is an incoming guest that does not run yet. */
export const powerState = z.enum([
  'running',
  'paused',
  'migrating',
  'shutoff',
  'crashed',
  'absent',
  'unknown',
]);
export type PowerState = z.infer<typeof powerState>;

/** One disk of a guest: `path` as the host sees it, `format` of its image, `bytes` its virtual size where known. */
export const disk = z.object({
  target: z.string(),
  path: z.string(),
  format: z.enum(['qcow2', 'raw']),
  readonly: z.boolean().default(false),
});
export type Disk = z.infer<typeof disk>;

/**
 * How far a live migration of the instance may go when its memory changes faster than it can be copied. Downtime is
 * always allowed up to the budget; each further rung only where it is allowed here.
 */
export const movePolicy = z.object({
  downtimeMs: z
    .int()
    .min(10)
    .max(60_000)
    .default(500)
    .describe('Budget: how long the guest may stand still for the switch-over'),
  autoConverge: z.boolean().default(false).describe('The hypervisor may slow its processors down'),
  postCopy: z
    .boolean()
    .default(false)
    .describe('It may run on the target before its memory is there: lost if a side dies then'),
  pauseMs: z
    .int()
    .nonnegative()
    .default(0)
    .describe('How long it may be paused to let the copy end; 0 never'),
  cold: z
    .enum(['never', 'allow'])
    .default('never')
    .describe('Whether it may be stopped and moved when it can’t be moved live'),
});
export type MovePolicy = z.infer<typeof movePolicy>;
export const defaultMovePolicy: MovePolicy = movePolicy.parse({});

/** Whether drover starts it again when it went off by itself: never, after a crash, or after any end nobody asked for. */
export const restartPolicies = ['never', 'on-crash', 'always'] as const;
export type RestartPolicy = (typeof restartPolicies)[number];

/** What an instance was before a resize or a cold migration that is not confirmed yet, and how to go back. */
export const resized = z.object({
  operation: z.string(),
  kind: z.enum(['resize', 'migrate']),
  was: z.enum(['active', 'stopped']),
  host: z.string(),
  flavor: z.string().nullable(),
  vcpus: z.int(),
  memoryMiB: z.int(),
  disks: z.array(disk),
  copied: z.array(z.string()).describe('Paths of the disks whose old copies are kept on that host'),
  confirmsAt: z.string().nullable(),
});
export type Resized = z.infer<typeof resized>;

/** Where the memory of a suspended instance is, and what its disks were then: it is never restored over newer ones. */
export const saved = z.object({
  host: z.string(),
  at: z.string(),
  disks: z.array(z.object({ path: z.string(), bytes: z.int(), modifiedAt: z.string() })),
});
export type Saved = z.infer<typeof saved>;

/** What happened to a guest by itself: the word for it, why as far as it is known, and what to do. */
export interface Happened {
  event: string;
  detail: string;
  cause: string;
  todo: string;
}

export const instance = z.object({
  id: z.uuid().describe('Also the UUID of the domain on the hypervisor'),
  name: z.string(),
  state: instanceState,
  powerState: powerState,
  host: z.string().nullable(),
  flavor: z.string().nullable().describe('Null for an adopted guest whose size matches no flavor'),
  vcpus: z.int(),
  memoryMiB: z.int(),
  disks: z.array(disk),
  image: z.string().nullable(),
  locked: z.boolean(),
  lockReason: z.string().nullable(),
  lockedBy: z.string().nullable(),
  needsRepair: z.string().nullable().describe('What an incomplete unwind left behind; null if nothing'),
  fault: z.string().nullable().describe('Why the state is error, or what the last observation found wrong'),
  serverGroup: z.string().nullable(),
  movePolicy: movePolicy.nullable().describe('Null for the default'),
  restartPolicy: z.enum(restartPolicies),
  haPolicy: z.enum(haPolicies),
  resized: resized.nullable(),
  saved: saved.nullable(),
  cause: z
    .string()
    .nullable()
    .describe('Why it is off, crashed or without its memory, when that happened by itself'),
  cpuMode: z
    .string()
    .nullable()
    .describe('How its processor is made, as libvirt calls it; null if nobody looked'),
  networks: z.array(z.string()).nullable().describe('Networks and bridges that it is connected to'),
  metadata: z.record(z.string(), z.string()),
  operation: z.string().nullable().describe('Id of the operation that owns the instance'),
  task: z.string().nullable().describe('Kind of that operation, for example live-migrate'),
  epoch: z.int(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Instance = z.infer<typeof instance>;

export const flavor = z.object({
  id: z.string(),
  name: z.string(),
  vcpus: z.int().positive(),
  memoryMiB: z.int().positive(),
  diskGiB: z.int().nonnegative().describe('0 keeps the size of the image'),
});
export type Flavor = z.infer<typeof flavor>;

/** The sentence for a change of state, the same in log, command line and Temporal UI. */
export function stateSentence(name: string, from: string, to: string, operation: string): string {
  return `instance ${name}: ${from} -> ${to} (${operation})`;
}

/** The states that a power state confirms; the first is what an instance becomes that was in none of them. */
const confirmed: Record<PowerState, readonly [InstanceState, ...InstanceState[]]> = {
  running: ['active', 'rescued', 'resized'],
  paused: ['paused', 'resized'],
  shutoff: ['stopped', 'suspended', 'rescued', 'resized', 'shelved'],
  crashed: ['stopped', 'resized'],
  migrating: ['error'],
  absent: ['error', 'shelved-offloaded', 'deleted'],
  unknown: ['error'],
};

/** What an instance is, given what it was and what the hypervisor reports now. */
export function stateSeen(state: InstanceState, power: PowerState): InstanceState {
  return confirmed[power].includes(state) ? state : confirmed[power][0];
}
