/** What calls change in a datacenter, for one instance: what happens there by itself is not told. */
import type { Tx } from '../../activities/simulator/database.js';
import type { Datacenter } from '../../activities/simulator/datacenter.js';

export interface Change {
  table: 'guests' | 'jobs' | 'events' | 'files' | 'made';
  told: string;
}

export class Watch {
  readonly changes: Change[] = [];
  constructor(
    private readonly id: string,
    private readonly name: string,
  ) {}

  /** `work`, with what it changed noted. */
  seen<T>(tx: Tx, work: (tx: Tx) => T): T {
    const before = this.state(tx);
    const done = work(tx);
    const after = this.state(tx);
    for (const table of ['guests', 'jobs', 'events', 'files', 'made'] as const) {
      if (after[table] !== before[table])
        this.changes.push({ table, told: `${table}: ${before[table]} → ${after[table]}` });
    }
    return done;
  }

  private state(tx: Tx): Record<Change['table'], string> {
    const { id, name } = this;
    const told = (rows: unknown[]) => JSON.stringify(rows);
    return {
      guests: told(
        tx.all('select host, power, boots, persistent from guests where id = ? order by host', id),
      ),
      jobs: told(tx.all('select id, target, ended_at from migrations where guest = ? order by id', id)),
      events: told(tx.all('select kind, host from events where guest = ? order by seq', id)),
      files: told(
        tx.all(
          `select store, path, bytes from files where path like '%/' || ? or path like '%/' || ?
             order by store, path`,
          `${id}.qcow2`,
          `${name}.qcow2`,
        ),
      ),
      made: told(tx.all('select host, path from made where instance = ? order by host, path', id)),
    };
  }
}

/** Every transaction of the datacenter goes by whoever watches; whoever holds it already must be made anew. */
export function watched(datacenter: Datacenter, watch: () => Watch | null): void {
  const plain = datacenter.transact.bind(datacenter);
  datacenter.transact = (work) =>
    plain((tx) => {
      const by = watch();
      return by === null ? work(tx) : by.seen(tx, work);
    });
}
