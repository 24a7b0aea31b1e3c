/** What is set of a migration while it runs. */
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Hypervisor } from '../hypervisor/port.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { followResumed } from './follow.js';
import { guestOn, type GuestRow } from './guests.js';
import type { HostRow } from './hosts.js';
import { activeMigration } from './migration-rows.js';
import { change as setMigration } from './migrations.js';
import { switchToPostCopy } from './post-copy.js';

type Steering = Pick<Hypervisor, 'setMaxDowntime' | 'setBandwidth' | 'startPostCopy' | 'resumePostCopy'>;

export function steering(
  datacenter: Datacenter,
  change: (host: HostRef, name: string, work: (tx: Tx, at: HostRow) => void) => Promise<void>,
): Steering {
  return {
    setMaxDowntime: (host, id, ms) =>
      change(host, 'setMaxDowntime', (tx, at) => {
        found(tx, host, at, id);
        const migration = activeMigration(tx, id);
        if (migration?.source === at.name && migration.phase === 'copy')
          setMigration(tx, migration, { downtime_limit: ms });
      }),
    setBandwidth: (host, id, cap) =>
      change(host, 'setBandwidth', (tx, at) => {
        found(tx, host, at, id);
        const migration = activeMigration(tx, id);
        const bytes = cap === null ? null : cap * 1024 ** 2;
        if (migration?.source === at.name) setMigration(tx, migration, { cap: bytes });
      }),
    startPostCopy: (host, id) =>
      change(host, 'startPostCopy', (tx, at) => {
        found(tx, host, at, id);
        const migration = activeMigration(tx, id);
        switchToPostCopy(tx, host, migration?.source === at.name ? migration : undefined);
      }),
    async resumePostCopy(move) {
      checked(move.id);
      await followResumed(datacenter, move);
    },
  };
}

export function found(tx: Tx, host: HostRef, at: HostRow, id: string): GuestRow {
  const guest = guestOn(tx, at.name, checked(id));
  if (guest !== undefined) return guest;
  throw new DroverError('NotFound', `${host.name} has no guest ${id}`, { details: { host: host.name } });
}

export function checked(id: string): string {
  if (z.guid().safeParse(id).success) return id;
  throw new DroverError('InvalidInput', `not the id of a guest: ${JSON.stringify(id)}`);
}
