/** The client of a migration: it starts it and waits. The migration does not need it any more then. */
import { DroverError } from '../../model/errors.js';
import type { Move } from '../hypervisor/port.js';
import type { Datacenter } from './datacenter.js';
import { findHost } from './hosts.js';
import { nextEventAt } from './events.js';
import { activeMigration, migrationById } from './migration-rows.js';
import { tryMove } from './moves.js';
import { rejoin } from './post-copy.js';
import { callHost, hostOf } from './reach.js';

const changeMs = 60_000;
/** A client looks at least this often, since another process may end the migration before its time. */
const pollMs = 250;
/** It gives a silent host up after this long. */
const keepaliveMs = 10_000;
/** What the target's host needs to hear of the end, after the source's: the client knows last. */
const unheard = 'Disconnected from the hypervisor due to keepalive timeout';

/** Settles when the client has ended: with null, or with what it said. Never the verdict. */
export async function follow(datacenter: Datacenter, move: Move): Promise<string | null> {
  try {
    const target = hostOf(datacenter, move.target);
    const call = { name: 'startMigration', limitMs: changeMs };
    const begun = await callHost(datacenter, move.source, call, (tx, at) => tryMove(tx, at, target, move));
    if ('refused' in begun) return begun.refused;
    return await wait(datacenter, begun.id);
  } catch (error) {
    if (error instanceof DroverError) return error.message;
    throw error;
  }
}

/** Settles when the two halves of a guest are one again; throws why they can't be. */
export async function followResumed(datacenter: Datacenter, move: Move): Promise<void> {
  const call = { name: 'resumePostCopy', limitMs: changeMs };
  const begun = await callHost(datacenter, move.source, call, (tx) =>
    rejoin(tx, activeMigration(tx, move.id)),
  );
  const message = 'refused' in begun ? begun.refused : await wait(datacenter, begun.id);
  if (message === null) return;
  throw new DroverError('HypervisorError', `${move.source.name}: ${message}`, {
    details: { host: move.source.name },
  });
}

async function wait(datacenter: Datacenter, id: number): Promise<string | null> {
  const { clock, closed } = datacenter;
  let silentSince: number | null = null;
  while (!closed.aborted) {
    const seen = await datacenter.transact((tx) => {
      const migration = migrationById(tx, id);
      const source = migration === undefined ? undefined : findHost(tx, migration.source);
      const silent =
        source === undefined ||
        source.power !== 'on' ||
        source.hung === 1 ||
        source.cut === 1 ||
        source.daemon === 2;
      const next = nextEventAt(tx) ?? Infinity;
      return { migration, silent, dead: source?.power === 'on' && source.daemon === 0, next, now: tx.now };
    });
    if (seen.dead) return 'End of file while reading data: Input/output error';
    silentSince = seen.silent ? (silentSince ?? seen.now) : null;
    if (silentSince !== null && seen.now - silentSince >= keepaliveMs) return unheard;
    const over = seen.migration?.ended_at !== null || seen.migration.message !== null;
    if (!seen.silent && over) return seen.migration?.message ?? null;
    await clock.sleep(Math.max(1, Math.min(pollMs, seen.next - seen.now)), closed);
  }
  return 'the client was killed';
}
