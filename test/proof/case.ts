/** What a row of the proof is made of: cases of one operation, each in a place of its own. */
import type { Inventory } from '../../activities/inventory/database.js';
import type { Datacenter } from '../../activities/simulator/datacenter.js';
import type { ErrorCode } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { InstanceState } from '../../model/instance.js';

/** A datacenter and an inventory, in memory or in files. */
export interface World {
  cloud: string;
  datacenter: Datacenter;
  inventory: Inventory;
  uuid(): string;
}

/** Three hosts of a world, and a name that nothing else there has. */
export interface Place extends World {
  name: string;
  hosts: readonly [HostRef, HostRef, HostRef];
}

export interface Ended {
  state: InstanceState;
  host: HostRef | null;
}

/** What a case is about once its world is set up. */
export interface Given {
  input: Record<string, unknown>;
  /** Of an operation on an instance: what it is when all went well; what it may be else, beside that and `error`. */
  instance?: { id: string; well: Ended; else: InstanceState; keptDisks?: boolean };
  /** More that must hold at its end, as sentences of what does not. `done` null: nobody can know whether it was done. */
  wrong?: (done: boolean | null) => Promise<string[]>;
  /** Of an operation on a host: what another does, before the first has changed it or after. */
  second?: { act(): Promise<void>; wrong(came: 'before' | 'after'): Promise<string[]> };
}

export interface Case {
  title: string;
  setUp(place: Place): Promise<Given>;
  /** It is to fail so, and to take back what it did. */
  fails?: ErrorCode;
  /** It finds what an earlier operation left: what it does before it begins is not taken back. */
  reconciles?: boolean;
}

/** One case, set up: what troubles it and what is judged afterwards know it by this. */
export interface Trial {
  operation: string;
  one: Case;
  place: Place;
  given: Given;
  /** Of the operation that will be asked for. */
  id: string;
  /** One round of it, now. */
  janitor(): Promise<void>;
}
