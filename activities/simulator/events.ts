/** What happens in a datacenter by itself: a guest goes down, a host comes up, a migration goes on. */
import type { Tx } from './database.js';

export type EventKind = 'down' | 'reboot' | 'vanish' | 'saved' | 'up' | 'migration' | 'fault' | 'self-fence';

export interface EventRow {
  seq: number;
  at: number;
  kind: EventKind;
  host: string | null;
  guest: string | null;
  data: string | null;
}

export function schedule(
  tx: Tx,
  at: number,
  kind: EventKind,
  about: { host?: string; guest?: string; data?: string },
): void {
  const { host = null, guest = null, data = null } = about;
  tx.run(
    'insert into events (at, kind, host, guest, data) values (?, ?, ?, ?, ?)',
    Math.ceil(at),
    kind,
    host,
    guest,
    data,
  );
}

export function isScheduled(tx: Tx, kind: EventKind, host: string, guest: string): boolean {
  return (
    tx.one('select seq from events where kind = ? and host = ? and guest = ?', kind, host, guest) !==
    undefined
  );
}

export function unschedule(tx: Tx, kind: EventKind, host: string, guest?: string): void {
  if (guest === undefined) tx.run('delete from events where kind = ? and host = ?', kind, host);
  else tx.run('delete from events where kind = ? and host = ? and guest = ?', kind, host, guest);
}

/** Takes the next thing that is due out of the plan. */
export function takeDue(tx: Tx): EventRow | undefined {
  const next = tx.one<EventRow>('select * from events where at <= ? order by at, seq limit 1', tx.now);
  if (next !== undefined) tx.run('delete from events where seq = ?', next.seq);
  return next;
}

/** When something happens next; null when nothing will. */
export const nextEventAt = (tx: Tx): number | null =>
  tx.one<{ at: number }>('select at from events order by at, seq limit 1')?.at ?? null;
