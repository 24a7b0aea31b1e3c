/**
 * Everything that an operation or the interpreter may do to the world. Two runtimes implement it: Temporal
 * (runtime/temporal.ts, the product) and virtual time (virtual/, in process). Both turn every failure into a
 * DroverError; a cancel arrives as DroverError `Cancelled`.
 */
import type { Activities, ActivityName, Answer } from '../activities/types.js';
import type { IntentCall, OperationAsk, Owner, Request } from '../model/operation.js';

export interface ActivityOptions {
  owner?: Owner | null;
  /** Number of the step within its operation: the key of its undo intent. */
  seq?: number;
  undo?: IntentCall | null;
  /** Where work on a host's disks is done (`workPlace`); null for the workers of the workflow itself. */
  onHost?: string | null;
  /** The vantage point that looks (`vantagePlace`). */
  atVantage?: string | null;
  /** Done by the recovery workers, whoever asks: they alone know the secrets of fence devices. */
  byRecovery?: boolean;
  /** Seconds that the work on a host may take in all, its worker's absence included: a host that reboots comes back. */
  within?: number | null;
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

/** An operation for later (delayed.ts). */
export interface DelayedOrder {
  afterMs: number;
  /** The operation that left something to do. */
  of: string;
  child: ChildRequest;
}

/** A run of a runbook within a run: a sub-runbook, or a batch of the items of one step. */
export interface ChildRun {
  type: 'run-runbook' | 'run-batch';
  workflowId: string;
  label: string;
  runbook: string;
  by: string;
  /** The order: `RunOrder` or `BatchOrder` (run-state.ts). */
  argument: Record<string, unknown>;
}

/**
 * What a run tells its child runs while they run: to pause or go on; to take nothing back when it is cancelled; that what
 * they were begun for is over (a sentence), which `run` tells its own recoveries.
 */
export type Word = { pause: boolean } | { undo: false } | { resolved: string; run?: string };

/** What people may ask of an operation while it runs. `validate` refuses by throwing, and changes nothing. */
export interface AskHandler {
  validate: (ask: OperationAsk) => void;
  handle: (ask: OperationAsk) => Promise<{ said: string }>;
}

export interface Runtime {
  activity<K extends ActivityName>(
    name: K,
    input: Parameters<Activities[K]>[0],
    options?: ActivityOptions,
  ): Promise<Answer<K>>;
  /** Starts an operation on its own and waits for it. Throws InstanceBusy when one is open already. */
  child(request: ChildRequest): Promise<Record<string, unknown> | null>;
  /** Starts a child run and waits for it; a cancel of the scope reaches it. RunBusy when one has the id already. */
  childRun(request: ChildRun): Promise<unknown>;
  /**
   * Starts a workflow of its own that carries the operation out after so long, if `of` has left something to do then.
   * Only its start is waited for; a second one for the same `of` is the first.
   */
  later(order: DelayedOrder): Promise<void>;
  /** Tells a child run as soon as it has started; one that has ended already is told nothing. */
  tell(workflowId: string, word: Word): Promise<void>;
  /** Takes what a run says (`tell`), one word after the other. */
  hear(take: (word: Word) => Promise<void> | void): void;
  /** The workflow id of a run, for its children. */
  runWorkflowId(run: string): string;
  batchWorkflowId(run: string, step: string, batch: number): string;
  /** The workflow id of an operation's subject, for waiting until it is free. */
  subjectId(operation: string, subject: string): string;
  /** Runs to its end whatever is cancelled meanwhile. */
  shielded<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` so that it can be cancelled apart from all else: `cancel` reaches every activity, child and timer
   * in it that is not shielded. It is cancelled with the scope around it as well.
   */
  scope<T>(work: () => Promise<T>): { result: Promise<T>; cancel: () => void };
  /** A durable timer of so many milliseconds. */
  sleep(ms: number, summary: string): Promise<void>;
  /** Waits until `holds`, asked again after every event; false when `ms` have passed before (null: no limit). */
  until(holds: () => boolean, ms: number | null): Promise<boolean>;
  /** True once somebody asked to cancel this scope, or one around it up to the nearest shield. */
  cancelled(): boolean;
  /** Takes asks of that name from now on; whoever asked gets an answer before `heardOut` lets the work end. */
  serve(name: string, ask: AskHandler): void;
  heardOut<T>(work: () => Promise<T>): Promise<T>;
  /** A fresh id, the same on replay. */
  id(): string;
  /** Milliseconds since the epoch, the same on replay. */
  now(): number;
  /** Shows where the work stands: `phase` is searchable, `details` Markdown. */
  show(phase: string, details: string): void;
}
