import { z } from 'zod';
import type { ErrorRecord } from './errors.js';
import type { HaPolicy } from './incident.js';
import type { Happened, InstanceState, MovePolicy, Resized, RestartPolicy, Saved } from './instance.js';

/**
 * The proof that an operation may change an instance. The inventory's row holds the same three values;
 * a step that presents an older epoch is refused (StaleOwner), whoever sent it.
 */
export const owner = z.object({ instance: z.string(), operation: z.string(), epoch: z.int() });
export type Owner = z.infer<typeof owner>;

/** Who asked, and through which run. `id` is the operation's id and so its idempotency key. */
export const request = z.object({
  id: z.string(),
  by: z.string(),
  role: z.enum(['viewer', 'operator', 'admin', 'automation']),
  run: z.object({ id: z.string(), step: z.string(), item: z.string().nullable() }).nullable(),
});
export type Request = z.infer<typeof request>;

/** A step to take back (or to clean up after) another: an activity by name, its input, and the place (`workPlace`) where it is done. */
export const intentCall = z.object({
  activity: z.string(),
  input: z.record(z.string(), z.unknown()),
  onHost: z.string().nullable(),
  says: z.string().describe('What is left if this is not done, for the operator'),
});
export type IntentCall = z.infer<typeof intentCall>;

/** An intent as it stands in the inventory, numbered in the order in which its steps began. */
export interface Intent extends IntentCall {
  operation: string;
  seq: number;
  /** All hosts that it names are fenced, such as this one: it is left to the readmission. */
  fenced?: string;
}

/** An intent that nobody has to carry out any more; `kept`: but the readmission of its host. */
export interface Settled {
  operation: string;
  seq: number;
  kept?: true;
}

export const operationStates = [
  'running',
  'unwinding',
  'succeeded',
  'failed',
  'cancelled',
  'refused',
] as const;
export type OperationState = (typeof operationStates)[number];

/** The record of an operation: it outlives Temporal's history. Times are RFC 3339 in UTC. */
export interface OperationRecord {
  id: string;
  kind: string;
  instance: string | null;
  host: string | null;
  state: OperationState;
  input: Record<string, unknown>;
  result: Record<string, unknown> | null;
  error: ErrorRecord | null;
  left: string[];
  by: string;
  workflowId: string;
  runId: string;
  run: string | null;
  step: string | null;
  item: string | null;
  startedAt: string;
  endedAt: string | null;
}

/** The record of a migration; `downtimeMs` is what the hypervisor measured, null where it did not. */
export interface MigrationRecord {
  id: string;
  operation: string;
  instance: string;
  source: string;
  target: string;
  storage: 'shared' | 'block';
  state: 'running' | 'completed' | 'failed' | 'cancelled';
  downtimeMs: number | null;
  totalMs: number | null;
  transferredBytes: number | null;
  kind: 'live' | 'cold';
  ladder: LadderStep[];
  /** Paths of the disks that it copied: where they were, old copies may be left. */
  copied: string[];
  reason: string | null;
  startedAt: string;
  endedAt: string | null;
}

/** One rung that a live migration took to come to its end, RFC 3339 in UTC. */
export interface LadderStep {
  at: string;
  rung: 'downtime' | 'auto-converge' | 'post-copy' | 'pause' | 'bandwidth' | 'cold';
  /** What was set, and why: `downtime 200 ms: 310 MiB left after round 4, not fewer than before`. */
  says: string;
  /** The person who asked for it; null where the policy did. */
  by: string | null;
}

/** What somebody asks of a running operation; `way` null for the best that there is. */
export interface OperationAsk {
  by: string;
  role: Request['role'];
  way: 'downtime' | 'post-copy' | 'pause' | null;
  /** What the person says to it. */
  comment?: string;
}
export interface OperationAction {
  operation: string;
  at: string;
  by: string;
  action: string;
  details: Record<string, unknown>;
}

/** What an operation found to be true of the instance at its end, written in one transaction with its close. */
export interface InstancePatch {
  state?: InstanceState;
  powerState?: string;
  host?: string | null;
  disks?: { target: string; path: string; format: 'qcow2' | 'raw'; readonly: boolean }[];
  fault?: string | null;
  flavor?: string | null;
  vcpus?: number;
  memoryMiB?: number;
  resized?: Resized | null;
  saved?: Saved | null;
  cause?: string | null;
  /** What happened to it by itself: told as a guest event, and as its cause. */
  happened?: Happened;
  /** Its restart policy brings it back: an operation of its own, which is still to begin. */
  restartDue?: boolean;
  lock?: { by: string; reason: string } | null;
  movePolicy?: MovePolicy | null;
  restartPolicy?: RestartPolicy;
  haPolicy?: HaPolicy;
  serverGroup?: string | null;
}
