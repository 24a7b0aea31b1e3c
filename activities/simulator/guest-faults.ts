/** What happens to single guests: their own doing, or somebody's at the hypervisor. */
import { DroverError } from '../../model/errors.js';
import type { Tx } from './database.js';
import { touchFiles } from './files.js';
import { bootGuest, disksOf, endGuest, isOn, setPower, type GuestRow } from './guests.js';
import { activeMigration } from './migration-rows.js';
import { reconsiderAt } from './migrations.js';

export interface GuestFault {
  do:
    'guest-crash' | 'guest-shutdown' | 'guest-destroy' | 'guest-io-error' | 'guest-disk-write' | 'guest-boot';
  guests: string[];
}

export function onGuestsNamed(tx: Tx, { do: what, guests }: GuestFault): void {
  for (const name of guests) happen(tx, guestNamed(tx, name), what);
}

function happen(tx: Tx, guest: GuestRow, what: GuestFault['do']): void {
  if (what === 'guest-disk-write') return touchFiles(tx, guest.host, disksOf(guest));
  if (what === 'guest-boot') return isOn(guest) ? undefined : bootGuest(tx, guest.host, guest.id);
  if (!isOn(guest)) return;
  if (what === 'guest-io-error') return setPower(tx, guest.host, guest.id, 'paused', 'I/O error');
  endGuest(
    tx,
    guest,
    { 'guest-crash': 'crashed', 'guest-shutdown': 'shutdown', 'guest-destroy': 'destroyed' }[what],
  );
  if (activeMigration(tx, guest.id) !== undefined) reconsiderAt(tx, guest.host);
}

/** The one that runs, where several hosts have one of that name. */
export function guestNamed(tx: Tx, name: string): GuestRow {
  const named = tx.all<GuestRow>('select * from guests where name = ? or id = ? order by host', name, name);
  const found = named.find(isOn) ?? named[0];
  if (found !== undefined) return found;
  throw new DroverError('NotFound', `the datacenter has no guest "${name}"`, { details: { guest: name } });
}
