import type { PowerState } from '../../model/instance.js';
import type { GuestPower, GuestView, HostFacts, Hypervisor } from './port.js';
import type { HostRef } from '../../model/host.js';
import type { LadderStep, MigrationRecord } from '../../model/operation.js';
import type { Clock } from '../clock.js';

/** What the hypervisor activities need of the inventory. */
export interface HypervisorInventory {
  /** Every host that is to be probed. */
  hosts(): Promise<HostRef[]>;
  recordProbe(
    host: string,
    found: { up: true; facts: HostFacts } | { up: false; reason: string },
  ): Promise<void>;
  /** What placement and evacuation go by, whenever somebody has seen it at home. */
  recordGuest(
    host: string,
    guest: Pick<GuestView, 'id' | 'cpuMode' | 'networks' | 'definition'>,
  ): Promise<void>;
  /** The instances on a host on which nothing runs, and their power as it was last seen. */
  expectedPowers(host: string): Promise<ExpectedPower[]>;
  recordPowers(host: string, expected: readonly ExpectedPower[], seen: readonly GuestPower[]): Promise<void>;
  /** Idempotent by id: an attempt that attaches to a running migration tells it again. */
  migrationStarted(migration: {
    id: string;
    operation: string;
    instance: string;
    source: string;
    target: string;
    storage: 'shared' | 'block';
    copied: string[];
  }): Promise<void>;
  migrationEnded(id: string, end: MigrationEnd): Promise<void>;
  /** A rung that it took; told twice, it is written once. */
  ladderStep(id: string, step: Omit<LadderStep, 'at'>): Promise<void>;
  /** The last ones of an instance, newest first. */
  migrations(instance: string): Promise<MigrationRecord[]>;
}

export interface ExpectedPower {
  instance: string;
  epoch: number;
  power: PowerState;
}

export interface MigrationEnd {
  state: 'completed' | 'failed' | 'cancelled';
  downtimeMs: number | null;
  totalMs: number | null;
  transferredBytes: number | null;
  reason: string | null;
}

/** How often the loops look, in ms, and how long they bear what they can't make out. Tests shorten them. */
export interface Pace {
  /** Between two looks. */
  pollMs: number;
  /** How long both sides may be unclear or out of reach; libvirt itself takes 9 s to notice a dead peer. */
  patienceMs: number;
  /** How long a hypervisor gets to clean up by itself after a migration has ended. */
  settleMs: number;
}

export const defaultPace: Pace = { pollMs: 500, patienceMs: 60_000, settleMs: 15_000 };

/** A fenced host that answers again: it is quarantined until it is readmitted. */
export interface Quarantined {
  host: string;
  /** Sentences: guests that run there although their instances run elsewhere. */
  twoCopies: string[];
  /** To be readmitted now, without being asked; and then to get back what was evacuated. */
  readmit: boolean;
  moveBack: boolean;
  /** To be cut off again: it runs what runs elsewhere. */
  cut?: HostRef;
}

export interface HypervisorDeps {
  hypervisor: Hypervisor;
  inventory: HypervisorInventory;
  pace: Pace;
  clock: Clock;
  /** How a probe looks at a host that is fenced; null while it is silent. Without it all of them are taken for silent. */
  quarantine?: ((host: HostRef) => Promise<Quarantined | null>) | undefined;
}
