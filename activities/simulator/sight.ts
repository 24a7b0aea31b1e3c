/** Which hosts a vantage point of the datacenter does not see. */
import type { Tx } from './database.js';
import { requireHost } from './hosts.js';

/** It sees no host at all. */
const all = '*';

export function blind(tx: Tx, vantage: string, hosts: readonly string[] | null): void {
  for (const host of hosts ?? []) requireHost(tx, host);
  for (const host of hosts ?? [all])
    tx.run('insert into blind (vantage, host) values (?, ?) on conflict do nothing', vantage, host);
}

/** It sees these hosts again, or all of them. */
export function unblind(tx: Tx, vantage: string, hosts: readonly string[] | null): void {
  if (hosts === null) return tx.run('delete from blind where vantage = ?', vantage);
  for (const host of hosts) tx.run('delete from blind where vantage = ? and host = ?', vantage, host);
}

/** By vantage point: the hosts that it does not see, null for all of them. */
export function blindVantages(tx: Tx): Map<string, string[] | null> {
  const found = new Map<string, string[] | null>();
  for (const { vantage, host } of tx.all<{ vantage: string; host: string }>(
    'select vantage, host from blind order by vantage, host',
  )) {
    const known = found.get(vantage) ?? [];
    found.set(vantage, host === all || found.get(vantage) === null ? null : [...known, host]);
  }
  return found;
}

export const isBlind = (tx: Tx, vantage: string, host: string): boolean =>
  tx.one('select 1 from blind where vantage = ? and host in (?, ?)', vantage, host, all) !== undefined;
