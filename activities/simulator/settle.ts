/** Brings a datacenter up to the present: all that has happened by itself since somebody last looked. */
import type { Tx } from './database.js';
import { takeDue, type EventRow } from './events.js';
import { applyFault } from './faults.js';
import { bootGuest, endGuest, guestOn } from './guests.js';
import { endSave } from './save.js';
import { hostIsUp, rebootHost } from './host-power.js';
import { isSelfFenced } from './self-fence.js';
import { activeMigration } from './migration-rows.js';
import { continueMigration, reconsiderAt } from './migrations.js';

export function settle(tx: Tx): void {
  for (let event = takeDue(tx); event !== undefined; event = takeDue(tx)) {
    // It happened then, not now: what follows from it is reckoned from its own time.
    happen({ ...tx, now: event.at }, event);
  }
}

function happen(tx: Tx, { kind, host, guest: id, data }: EventRow): void {
  if (kind === 'fault') return applyFault(tx, data ?? '');
  if (kind === 'migration') return continueMigration(tx, Number(data));
  if (host === null) return;
  if (kind === 'up') return hostIsUp(tx, host);
  if (kind === 'self-fence') return isSelfFenced(tx, host) ? rebootHost(tx, host) : undefined;
  const guest = id === null ? undefined : guestOn(tx, host, id);
  if (guest === undefined) return;
  if (kind === 'saved') {
    endSave(tx, guest);
  } else if (kind === 'down') {
    endGuest(tx, guest, 'shutdown');
    leaveMigration(tx, guest.id, host);
  } else if (kind === 'reboot') {
    bootGuest(tx, host, guest.id);
  } else if (guest.power === 'migrating') {
    endGuest(tx, guest, 'failed');
  }
}

/** A guest that goes off in the middle of its migration takes the migration with it. */
function leaveMigration(tx: Tx, guest: string, host: string): void {
  if (activeMigration(tx, guest)?.source === host) reconsiderAt(tx, host);
}
