import type { HostRef } from '../../model/host.js';
import type { GuestPower } from '../hypervisor/port.js';
import type { Inventory } from './database.js';
import { expectedPowers, recordPowers, type ExpectedPower } from './powers.js';
import { recordGuest, type GuestFacts } from './guest-facts.js';
import { listHosts, recordProbe, type Probe } from './hosts.js';
import type { LadderStep, MigrationRecord } from '../../model/operation.js';
import {
  ladderStep,
  listMigrations,
  migrationEnded,
  migrationStarted,
  type MigrationEnd,
  type MigrationStart,
} from './records.js';

/** The part of the inventory that the hypervisor's activities see. */
export interface HypervisorInventory {
  hosts(): Promise<HostRef[]>;
  recordProbe(host: string, probe: Probe): Promise<void>;
  /** How it is defined, as somebody saw it: placement and evacuation go by that. */
  recordGuest(host: string, guest: GuestFacts): Promise<void>;
  expectedPowers(host: string): Promise<ExpectedPower[]>;
  recordPowers(host: string, expected: readonly ExpectedPower[], seen: readonly GuestPower[]): Promise<void>;
  migrationStarted(start: MigrationStart): Promise<void>;
  migrationEnded(id: string, end: MigrationEnd): Promise<void>;
  ladderStep(id: string, step: Omit<LadderStep, 'at'>): Promise<void>;
  migrations(instance: string): Promise<MigrationRecord[]>;
}

export function hypervisorInventory(inventory: Inventory): HypervisorInventory {
  return {
    hosts: async () => (await listHosts(inventory)).map(({ name, uri }) => ({ name, uri })),
    recordProbe: (host, probe) => recordProbe(inventory, host, probe),
    recordGuest: (host, guest) => recordGuest(inventory, host, guest),
    expectedPowers: (host) => expectedPowers(inventory, host),
    recordPowers: (host, expected, seen) => recordPowers(inventory, host, expected, seen),
    migrationStarted: (start) => migrationStarted(inventory, start),
    migrationEnded: (id, end) => migrationEnded(inventory, id, end),
    ladderStep: (id, step) => ladderStep(inventory, id, step),
    migrations: (instance) => listMigrations(inventory, { instance, limit: 5 }),
  };
}
