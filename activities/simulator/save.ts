/** Memory of guests on disk, as libvirt keeps it: saved in the course of time, and back at once. */
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { nextEventAt, schedule, unschedule } from './events.js';
import { touchFiles } from './files.js';
import { disksOf, endGuest, guestOn, guestsOn, setPower, type GuestRow } from './guests.js';

/** What a host's disk takes, in MiB per second. */
const writesMiBs = 500;
const pollMs = 250;

/** The guest stands still until its memory is written; then its process ends. */
export function beginSave(tx: Tx, guest: GuestRow): void {
  setPower(tx, guest.host, guest.id, 'paused', 'saving');
  tx.run(`update guests set other_job = 'save' where host = ? and id = ?`, guest.host, guest.id);
  const ms = (guest.memory_mib / writesMiBs) * 1000;
  schedule(tx, tx.now + ms, 'saved', { host: guest.host, guest: guest.id });
}

export function endSave(tx: Tx, guest: GuestRow): void {
  if (guest.other_job !== 'save') return;
  endGuest(tx, guest, 'saved');
  tx.run('update guests set managed_save = 1 where host = ? and id = ?', guest.host, guest.id);
}

/** It goes on, and what was written of it is gone. */
export function abortSave(tx: Tx, guest: GuestRow): void {
  if (guest.other_job !== 'save') return;
  unschedule(tx, 'saved', guest.host, guest.id);
  tx.run('update guests set other_job = null where host = ? and id = ?', guest.host, guest.id);
  setPower(tx, guest.host, guest.id, 'running', 'save canceled');
}

/** A libvirtd that was killed finds the guest half saved when it is back, and lets it go on. */
export const abortSavesOn = (tx: Tx, host: string): void =>
  guestsOn(tx, host).forEach((guest) => abortSave(tx, guest));

export function restoreGuest(tx: Tx, host: HostRef, guest: GuestRow): void {
  if (guest.managed_save === 0) {
    const message = `${host.name} has no saved memory of ${guest.name}`;
    throw new DroverError('StaleSavedState', message, { details: { host: host.name } });
  }
  setPower(tx, guest.host, guest.id, 'running', 'restored');
  tx.run('update guests set managed_save = 0, booted_at = 0 where host = ? and id = ?', guest.host, guest.id);
  touchFiles(tx, guest.host, disksOf(guest));
}

/** Settles when the client has ended: with null, or with what it said. */
export async function followSave(datacenter: Datacenter, host: string, id: string): Promise<string | null> {
  const { clock, closed } = datacenter;
  while (!closed.aborted) {
    const { guest, ms } = await datacenter.transact((tx) => ({
      guest: guestOn(tx, host, id),
      ms: (nextEventAt(tx) ?? Infinity) - tx.now,
    }));
    if (guest?.other_job !== 'save')
      return guest?.managed_save === 1 ? null : 'operation aborted: save job: canceled by client';
    await clock.sleep(Math.max(1, Math.min(pollMs, ms)), closed);
  }
  return 'the client was killed';
}

/** A file that was there before the guest was defined: its host does not know of it, and won't let go of the guest. */
export const isSavedUnknown = (tx: Tx, host: string, name: string): boolean =>
  tx.one('select guest from saves where host = ? and guest = ?', host, name) !== undefined;
