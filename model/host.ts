import { z } from 'zod';

/** What drivers and activities need to reach a host. */
export const hostRef = z.object({ name: z.string(), uri: z.string() });
export type HostRef = z.infer<typeof hostRef>;

/**
 * A host as operators see it. `state` is what the last probe found: `up`, or `unknown` when it did not
 * answer. `enabled` is the operator's word: a disabled host gets no new instances and keeps those it has.
 * Sizes: memory in MiB; `slots` are the live migrations (in or out) that the host may run at a time.
 */
export const host = hostRef.extend({
  state: z.enum(['up', 'unknown']),
  stateReason: z.string().nullable(),
  enabled: z.boolean(),
  disabledReason: z.string().nullable(),
  systemUuid: z.string().nullable(),
  vcpus: z.int(),
  vcpusUsed: z.int(),
  cpuOvercommit: z.number(),
  memoryMiB: z.int(),
  memoryMiBUsed: z.int(),
  memoryMiBReserved: z.int(),
  slots: z.int(),
  slotsUsed: z.int(),
  instances: z.int(),
  labels: z.record(z.string(), z.string()),
  lastSeenAt: z.string().nullable(),
  createdAt: z.string(),
});
export type Host = z.infer<typeof host>;

/** Why a host was not chosen: the filter that refused it and the sentence for the operator. */
export interface Rejection {
  host: string;
  filter: string;
  reason: string;
  /** True when waiting can help: a migration slot frees itself, a missing gigabyte does not. */
  temporary: boolean;
}
