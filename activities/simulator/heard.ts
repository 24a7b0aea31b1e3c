/** What a hypervisor tells of its guests by itself: kept for a while, for whoever watches. */
import type { GuestEvent } from '../hypervisor/port.js';
import type { Tx } from './database.js';

const keptMs = 600_000;

/** The words of libvirt for how a guest ended; a host that lost its power tells nothing. */
const ends: Record<string, string> = {
  shutdown: 'Stopped Shutdown',
  destroyed: 'Stopped Destroyed',
  crashed: 'Stopped Failed',
  saved: 'Stopped Saved',
};
const standstills: Record<string, string> = { user: 'Suspended Paused', 'I/O error': 'Suspended I/O Error' };

export const tellEnd = (tx: Tx, guest: { host: string; id: string }, reason: string): void =>
  tell(tx, guest, 'stopped', ends[reason]);
export const tellStandstill = (tx: Tx, guest: { host: string; id: string }, reason: string): void =>
  tell(tx, guest, 'paused', standstills[reason]);

function tell(
  tx: Tx,
  { host, id }: { host: string; id: string },
  event: GuestEvent['event'],
  detail: string | undefined,
): void {
  if (detail === undefined) return;
  tx.run('delete from heard where at < ?', tx.now - keptMs);
  tx.run(
    'insert into heard (at, host, guest, event, detail) values (?, ?, ?, ?, ?)',
    tx.now,
    host,
    id,
    event,
    detail,
  );
}

/** The number of the last one of a host. */
export const lastHeard = (tx: Tx, host: string): number =>
  tx.one<{ seq: number | null }>('select max(seq) as seq from heard where host = ?', host)?.seq ?? 0;

export function heardSince(tx: Tx, host: string, seq: number): { seq: number; event: GuestEvent }[] {
  return tx
    .all<{ seq: number; at: number; guest: string; event: GuestEvent['event']; detail: string }>(
      'select * from heard where host = ? and seq > ? order by seq',
      host,
      seq,
    )
    .map((row) => ({
      seq: row.seq,
      event: { at: new Date(row.at).toISOString(), id: row.guest, event: row.event, detail: row.detail },
    }));
}
