/** What happens to a whole host: power, libvirtd, network. Its guests and migrations take the consequences. */
import type { Tx } from './database.js';
import { schedule, unschedule } from './events.js';
import { loseStorage, storeOf, touchFiles } from './files.js';
import { bootGuest, disksOf, endGuest, guestsOn, isOn, setPower, type GuestRow } from './guests.js';
import { allHosts, defaultLink, findHost, requireHost } from './hosts.js';
import { reconsiderAt } from './migrations.js';
import { abortSavesOn } from './save.js';
import { startSelfFence } from './self-fence.js';

/** From the power button to the libvirtd that answers. */
export const hostBootMs = 5_000;

/** Power loss: every guest dies at once; definitions, disks and the worker's fence stay. */
export function cutPower(tx: Tx, host: string): void {
  requireHost(tx, host);
  unschedule(tx, 'up', host);
  tx.run(`update hosts set power = 'off', hung = 0, daemon = 0 where name = ?`, host);
  tx.run('delete from exports where host = ?', host);
  reconsiderAt(tx, host);
  for (const guest of guestsOn(tx, host)) {
    // What it wrote last is of this moment.
    if (guest.power === 'running') touchFiles(tx, host, disksOf(guest));
    endGuest(tx, guest, 'unknown');
  }
}

/** Every host of a rack at the same moment; answers which those are. */
export function cutRack(tx: Tx, rack: string): string[] {
  const names = allHosts(tx).filter((host) => host.rack === rack);
  for (const { name } of names) cutPower(tx, name);
  return names.map(({ name }) => name);
}

/** Takes every fault of a host away; one that is off boots, and its guests stay off. */
export function restoreHost(tx: Tx, host: string): void {
  const found = requireHost(tx, host);
  // What was copied so far was copied at the old pace.
  reconsiderAt(tx, host);
  tx.run('delete from cuts where one = ? or other = ?', host, host);
  unschedule(tx, 'self-fence', host);
  tx.run('delete from faults where host = ?', host);
  tx.run('delete from blind where host = ?', host);
  loseStorage(tx, host, false);
  tx.run(
    `update hosts set hung = 0, cut = 0, call_ms = 0, link = ?, bmc = 'ok', bmc_of = null, bmc_said = null where name = ?`,
    defaultLink,
    host,
  );
  if (found.power === 'off') {
    boot(tx, host);
  } else if (found.power === 'on') {
    tx.run('update hosts set daemon = 1 where name = ?', host);
  }
  reconsiderAt(tx, host);
}

/** The host goes down and comes back by itself; what runs on it ends as at a power loss. */
export function rebootHost(tx: Tx, host: string): void {
  cutPower(tx, host);
  boot(tx, host);
}

/** Somebody gives it its power back. */
export function boot(tx: Tx, host: string): void {
  tx.run(`update hosts set power = 'booting' where name = ?`, host);
  schedule(tx, tx.now + hostBootMs, 'up', { host });
}

/** The host has booted. */
export function hostIsUp(tx: Tx, host: string): void {
  if (findHost(tx, host)?.power !== 'booting') return;
  tx.run(`update hosts set power = 'on', daemon = 1, boots = boots + 1 where name = ?`, host);
  // As libvirtd does when it begins, whatever has become of the instance meanwhile.
  for (const guest of guestsOn(tx, host)) if (guest.autostart === 1) bootGuest(tx, host, guest.id);
  reconsiderAt(tx, host);
}

/** libvirtd of a host is killed, or started again; the guests go on without it. */
export function setDaemon(tx: Tx, host: string, runs: boolean): void {
  const found = requireHost(tx, host);
  if (found.power !== 'on') return;
  tx.run('update hosts set daemon = ? where name = ?', runs ? 1 : 0, host);
  if (!runs) abortSavesOn(tx, host);
  reconsiderAt(tx, host);
}

/** libvirtd takes connections and answers nothing, until it is started again; the guests go on. */
export function hangDaemon(tx: Tx, host: string): void {
  if (requireHost(tx, host).power !== 'on') return;
  tx.run('update hosts set daemon = 2 where name = ?', host);
  reconsiderAt(tx, host);
}

/** It loses the storage that it shares with others: guests with a disk there stand still. */
export function dropStorage(tx: Tx, host: string): void {
  requireHost(tx, host);
  const guests = guestsOn(tx, host).filter(isOn);
  const before = new Map(guests.map((guest) => [guest.id, mountedDisks(tx, guest)]));
  loseStorage(tx, host, true);
  for (const guest of guests)
    if (mountedDisks(tx, guest) !== before.get(guest.id)) setPower(tx, host, guest.id, 'paused', 'I/O error');
}

const mountedDisks = (tx: Tx, guest: GuestRow): number =>
  disksOf(guest).filter(({ path }) => storeOf(tx, guest.host, path) !== undefined).length;

/** The host answers nothing any more and closes nothing: whoever calls it waits for his own time limit. */
export function hang(tx: Tx, host: string): void {
  requireHost(tx, host);
  tx.run('update hosts set hung = 1 where name = ?', host);
  startSelfFence(tx, host);
  reconsiderAt(tx, host);
}

/** Cuts a host off the network, or only off some other hosts. */
export function partition(tx: Tx, host: string, from: readonly string[] | null): void {
  requireHost(tx, host);
  if (from === null) {
    tx.run('update hosts set cut = 1 where name = ?', host);
    startSelfFence(tx, host);
  }
  for (const other of from ?? []) {
    requireHost(tx, other);
    for (const [one, two] of [
      [host, other],
      [other, host],
    ] as const) {
      tx.run('insert into cuts (one, other) values (?, ?) on conflict do nothing', one, two);
    }
  }
  reconsiderAt(tx, host);
}

/** Each call takes longer, or migrations get less of the link (bytes per second); null leaves it as it is. */
export function slow(tx: Tx, host: string, by: { callMs: number | null; link: number | null }): void {
  const found = requireHost(tx, host);
  // What was copied so far was copied at the old pace.
  reconsiderAt(tx, host);
  tx.run(
    'update hosts set call_ms = ?, link = ? where name = ?',
    by.callMs ?? found.call_ms,
    by.link ?? found.link,
    host,
  );
  reconsiderAt(tx, host);
}
