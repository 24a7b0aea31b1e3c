/**
 * Everything that an operation or the interpreter may do to the world. Two runtimes implement it: Temporal
 * (runtime/temporal.ts, the product) and virtual time (in process, comes with the simulator). Both turn every
 * failure into a DroverError; a cancel arrives as DroverError `Cancelled`.
 */
import type { Activities, ActivityName, Answer } from '../activities/types.js';
import type { IntentCall, Owner, Request } from '../model/operation.js';

export interface ActivityOptions {
  owner?: Owner | null;
  /** Number of the step within its operation: the key of its undo intent. */
  seq?: number;
  undo?: IntentCall | null;
  /** The host whose worker does the work; null for the control workers. */
  onHost?: string | null;
}

/** How a child operation ended. `busy` and `refused` changed nothing. */
export interface ChildRequest {
  operation: string;
  /** The instance's or host's id: with the cloud it makes the workflow id, which admits one at a time. */
  subject: string;
  label: string;
  /** The runbook that asks for it, and the host where the subject is, as far as known: to be found by. */
  runbook: string | null;
  host: string | null;
  request: Request;
  input: Record<string, unknown>;
}

export interface Runtime {
  activity<K extends ActivityName>(
    name: K,
    input: Parameters<Activities[K]>[0],
    options?: ActivityOptions,
  ): Promise<Answer<K>>;
  /** Starts an operation on its own and waits for it. Throws InstanceBusy when one is open already. */
  child(request: ChildRequest): Promise<Record<string, unknown> | null>;
  /** The workflow id of an operation's subject, for waiting until it is free. */
  subjectId(operation: string, subject: string): string;
  /** Runs to its end whatever is cancelled meanwhile. */
  shielded<T>(work: () => Promise<T>): Promise<T>;
  /** True once somebody asked to cancel. */
  cancelled(): boolean;
  /** A fresh id, the same on replay. */
  id(): string;
  /** Milliseconds since the epoch, the same on replay. */
  now(): number;
  /** Shows where the work stands: `phase` is searchable, `details` Markdown. */
  show(phase: string, details: string): void;
}
