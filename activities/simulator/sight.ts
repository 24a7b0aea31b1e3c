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

export const isBlind = (tx: Tx, vantage: string, host: string): boolean =>
  tx.one('select 1 from blind where vantage = ? and host in (?, ?)', vantage, host, all) !== undefined;
