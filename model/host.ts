import { z } from 'zod';
import { fence } from './incident.js';

/** What drivers and activities need to reach a host. */
export const hostRef = z.object({ name: z.string(), uri: z.string() });
export type HostRef = z.infer<typeof hostRef>;

/**
 * Work on the host itself, declared by a person or a run, until a time (RFC 3339 in UTC). Until then it gets no new
 * instances, and that it is silent is no alarm. Nothing has to end it: it is over when its time is.
 */
export const maintenance = z.object({
  until: z.string(),
  by: z.string(),
  reason: z.string(),
  run: z.string().nullable().describe('The run that declared it; null when a person did'),
});
export type Maintenance = z.infer<typeof maintenance>;

/** What the host's processors are; `features` by libvirt's names. */
export const hostCpu = z.object({
  arch: z.string(),
  vendor: z.string(),
  model: z.string(),
  features: z.array(z.string()),
});
export type HostCpu = z.infer<typeof hostCpu>;

/** Instances of a group on one host, or each on another; soft: where it can be. */
export const groupPolicies = ['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const;
export type GroupPolicy = (typeof groupPolicies)[number];

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
  maintenance: maintenance.nullable(),
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
  zone: z.string().nullable().describe('Hosts that fail together, by the operator’s word'),
  cpu: hostCpu.nullable(),
  networks: z.array(z.string()).nullable().describe('Networks and bridges that it has; null if nobody asked'),
  storage: z.record(z.string(), z.string()).describe('Shared stores by name, and where they are mounted'),
  reserved: z.boolean().describe('Kept free for what is evacuated from a lost host'),
  controlPlane: z.boolean().describe('It runs what drover needs itself: it is never fenced'),
  fence: fence.nullable().describe('What proves that it is off, until it is readmitted'),
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
