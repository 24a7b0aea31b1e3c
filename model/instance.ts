import { z } from 'zod';

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
  paused: ['paused'],
  shutoff: ['stopped', 'suspended', 'rescued', 'resized', 'shelved'],
  crashed: ['stopped'],
  migrating: ['error'],
  absent: ['error', 'shelved-offloaded', 'deleted'],
  unknown: ['error'],
};

/** What an instance is, given what it was and what the hypervisor reports now. */
export function stateSeen(state: InstanceState, power: PowerState): InstanceState {
  return confirmed[power].includes(state) ? state : confirmed[power][0];
}
