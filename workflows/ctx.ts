import type { Activities, ActivityName, Answer, Sighting } from '../activities/types.js';
import { workPlace } from '../model/addresses.js';
import type { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import type { Instance } from '../model/instance.js';
import type { InstancePatch, IntentCall, Owner, Request } from '../model/operation.js';
import type { AskHandler, Word } from './runtime.js';

interface CallOptions {
  /** The host whose worker does it; the control workers otherwise. */
  on?: HostRef | undefined;
  /** How to take the step back; registered before the step begins. */
  undo?: IntentCall | undefined;
  /** Seconds that it may take on a host whose worker may be away meanwhile; default: that worker must be there. */
  within?: number | undefined;
  /** The vantage point that does it (`vantagePlace`). */
  at?: string | undefined;
}

interface HostCallOptions extends Omit<CallOptions, 'undo'> {
  /** In whose name it works on the disk of an instance. */
  owner?: Owner | undefined;
}

type Call<O = CallOptions> = <K extends ActivityName>(
  name: K,
  input: Parameters<Activities[K]>[0],
  options?: O,
) => Promise<Answer<K>>;

/** What every operation gets. */
interface CommonCtx {
  readonly request: Request;
  id(): string;
  /** Milliseconds since the epoch, the same on replay. */
  now(): number;
  /** True once somebody asked to cancel it. */
  cancelled(): boolean;
  /** Says where the work stands, in the Temporal UI and `run watch`. */
  phase(phase: string, detail?: string): void;
  /** Takes asks of that name from now on. */
  serve(name: string, ask: AskHandler): void;
}

/** What a host operation gets. */
export interface HostCtx extends CommonCtx {
  readonly call: Call<HostCallOptions>;
  /** An operation on an instance, in the name of who asked for this one; it is waited for. */
  child(
    operation: string,
    of: { id: string; name: string },
    input?: Record<string, unknown>,
  ): Promise<unknown>;
  /** Takes what the run says of which it is a part. */
  hear(take: (word: Word) => Promise<void> | void): void;
  /** A durable timer of so many milliseconds. */
  sleep(ms: number, summary: string): Promise<void>;
  /** Waits until `holds`, asked again after every event; false when `ms` have passed before (null: no limit). */
  until(holds: () => boolean, ms: number | null): Promise<boolean>;
  /** Runs to its end whatever is cancelled meanwhile. */
  shielded<T>(work: () => Promise<T>): Promise<T>;
  /** Shows where the work stands: `phase` is searchable, `details` Markdown. */
  show(phase: string, details: string): void;
}

/** What an instance operation gets: every effect goes through here. */
export interface Ctx extends CommonCtx {
  readonly call: Call;
  /** The instance as it was when the operation began. */
  readonly instance: Instance;
  /** Where the instance is; for an operation that needs a host. */
  host(): Promise<HostRef>;
  /**
   * The point of no return: writes what is so by now and drops every undo. `cleanup` is carried out after
   * `run`, by whoever closes the operation. From here on a cancel comes too late.
   */
  commit(patch: InstancePatch, cleanup?: IntentCall[]): Promise<void>;
  /** An operation on this instance after so many milliseconds, if this one has left something to do then. */
  later(afterMs: number, operation: string, input: Record<string, unknown>): Promise<void>;
  /** Looks where the guest is and what it does, on the hosts `also`, too; `left` says what must not be so. */
  observe(
    also?: readonly HostRef[],
  ): Promise<{ patch: InstancePatch; left: string[]; sightings: Sighting[] }>;
  /**
   * Tries `work`; when it fails, takes back what it did and answers the error instead of throwing it. An error after
   * which `another` says that there is no other attempt is answered as well, and taken back by whoever throws it on.
   */
  attempt<T>(
    work: () => Promise<T>,
    another?: (error: DroverError) => boolean,
  ): Promise<{ ok: true; value: T } | { ok: false; error: DroverError }>;
  /** Work that somebody may abort: it is cancelled then, and with it the operation, in that person's name. */
  abortable<T>(work: () => Promise<T>): { result: Promise<T>; abort: (by: string) => void };
}

/** Writes an intent: `undo('removeDisk', input, 'the disk /x on host2', host2)`. */
export function intent<K extends ActivityName>(
  activity: K,
  input: Parameters<Activities[K]>[0],
  says: string,
  on?: HostRef,
): IntentCall {
  return { activity, input: { ...input }, onHost: on ? workPlace(on) : null, says };
}
