/** `inventory`: transactions and claims a second on SQLite and on PostgreSQL, each with its data safe on the disk. */
import { join } from 'node:path';
import { addHost, recordProbe } from '../activities/inventory/hosts.js';
import { closeInventory, openInventory, transact, type Inventory } from '../activities/inventory/database.js';
import { adoptInstance } from '../activities/inventory/instances.js';
import { createInventoryActivities } from '../activities/inventory/activities.js';
import { findPostgres, startPostgres } from '../lab/postgres.js';
import type { InventoryPlace } from '../model/inventory.js';
import { timed } from './alternate.js';
import type { Session } from './session.js';

const hosts = 20;
const writers = 8;
const ms = 4000;

export async function inventory(session: Session): Promise<void> {
  const bases: [string, InventoryPlace][] = [['sqlite', { path: join(session.folder(), 'inventory.db') }]];
  if (findPostgres() === null) session.say('without PostgreSQL, which is not installed');
  else {
    const server = await startPostgres({ durable: true });
    session.atEnd(() => server.remove());
    server.sql('postgres', 'create database bench');
    bases.push(['postgres', { url: server.url('bench') }]);
  }
  const rates = new Map<string, number>();
  for (const [name, place] of bases) {
    const stage = await openInventory(place);
    session.atEnd(() => closeInventory(stage));
    const claim = await claims(stage);
    // Another value each time: SQLite writes nothing where nothing has changed.
    const change = (_writer: number, turn: number) =>
      transact(stage, (trx) =>
        trx
          .updateTable('hosts')
          .set({ slots: 100 + (turn % 100) })
          .where('name', '=', 'h1')
          .execute(),
      );
    for (const [what, work] of [
      ['transaction', change],
      ['claim and release', claim],
    ] as const) {
      for (const at of [1, writers]) {
        const rate = await perSecond(session, at, work);
        rates.set(`${name} ${what} ${at}`, rate);
        const other = rates.get(`sqlite ${what} ${at}`) ?? rate;
        session.tell({
          bench: 'inventory',
          database: name,
          what,
          writers: at,
          perSecond: Math.round(rate),
          ratio: Number((rate / other).toFixed(2)),
        });
      }
    }
  }
}

/** As an operation claims its target: looks for a host, takes room and slots, gives it back. */
async function claims(stage: Inventory): Promise<(writer: number, turn: number) => Promise<unknown>> {
  const act = createInventoryActivities({
    inventory: stage,
    currentRun: () => null,
    isCurrentRun: () => Promise.resolve(true),
    isOpen: () => Promise.resolve(true),
    capabilities: new Set(),
  });
  const call = {
    owner: null,
    host: null,
    signal: new AbortController().signal,
    cancelRequested: () => false,
    heartbeat: () => undefined,
  };
  for (let number = 1; number <= hosts; number += 1) {
    const name = `h${number}`;
    await addHost(stage, {
      name,
      uri: `test://${name}`,
      slots: 100,
      cpuOvercommit: 4,
      memoryMiBReserved: 0,
      labels: {},
    });
    const facts = { hostname: name, systemUuid: name, vcpus: 64, memoryMiB: 262_144, hypervisor: 'bench' };
    await recordProbe(stage, name, { up: true, facts });
  }
  const size = { vcpus: 1, memoryMiB: 1024 };
  const owners = await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const id = `i${writer}`;
      const state = {
        state: 'active',
        powerState: 'running',
        flavor: null,
        disks: [],
        metadata: {},
      } as const;
      await adoptInstance(stage, {
        id,
        name: id,
        host: 'h1',
        ...size,
        ...state,
        flavor: null,
        disks: [],
        metadata: {},
      });
      const request = { id: `op-${writer}`, by: 'bench', role: 'admin', run: null } as const;
      const rules = {
        allowedStates: null,
        doing: 'migrating',
        respectsLock: true,
        respectsNeedsRepair: true,
        needs: null,
        create: null,
      };
      const begun = await act.beginOperation(
        { kind: 'live-migrate', request, instance: id, input: {}, ...rules },
        call,
      );
      if (begun.outcome !== 'began') throw new Error(`not begun: ${begun.outcome}`);
      return begun.owner;
    }),
  );
  return async (writer, turn) => {
    const claim = `c${writer}-${turn}`;
    const owner = owners[writer] ?? null;
    await act.claimHost(
      { claim, ...size, host: null, exclude: [], from: 'h1', waitSeconds: 0 },
      { ...call, owner },
    );
    await act.releaseClaim({ claim }, call);
  };
}

async function perSecond(
  session: Session,
  at: number,
  work: (writer: number, turn: number) => Promise<unknown>,
): Promise<number> {
  let done = 0;
  const until = Date.now() + ms;
  const spent = await timed(() =>
    Promise.all(
      Array.from({ length: at }, async (_, writer) => {
        while (Date.now() < until) {
          session.signal.throwIfAborted();
          await work(writer, (done += 1));
        }
      }),
    ),
  );
  return done / (spent / 1000);
}
