/**
 * What changes in runs, operations and incidents, for all who listen: the inventory is asked once a second while anybody does.
 * Whoever was away for a while gets what was missed, as far back as this process knows.
 */
import { listIncidents } from '../activities/inventory/incidents.js';
import type { Inventory } from '../activities/inventory/database.js';
import { getOperation, listOperations } from '../activities/inventory/records.js';
import { getRun, listRuns } from '../activities/inventory/runs.js';

export interface Event {
  id: number;
  type: 'run' | 'operation' | 'incident';
  /** When it was seen, RFC 3339. */
  at: string;
  /** Where it stands now. */
  data: { id: string; state: string; subject: string } & Record<string, unknown>;
}

type Seen = Omit<Event, 'id' | 'at'>;
type Listener = (event: Event) => void;

const everyMs = 1000;
const remembered = 2000;

export class EventFeed {
  private readonly listeners = new Set<Listener>();
  private readonly past: Event[] = [];
  private seen: Map<string, Seen> | null = null;
  private timer: NodeJS.Timeout | null = null;
  /** Ids grow over restarts, too: one of an earlier process is never taken for one of this. */
  private next = Date.now() * 1000;

  constructor(
    private readonly inventory: Inventory,
    private readonly warn: (error: unknown) => void,
  ) {}

  /** Events after that one; null where this process does not know it (any more). */
  since(id: number): Event[] | null {
    const place = this.past.findIndex((event) => event.id === id);
    return place < 0 ? null : this.past.slice(place + 1);
  }

  /** Answers what ends it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    if (this.timer === null) this.again(0);
    return () => {
      this.listeners.delete(listener);
    };
  }

  get count(): number {
    return this.listeners.size;
  }

  close(): void {
    this.listeners.clear();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private again(ms: number): void {
    this.timer = setTimeout(() => {
      void this.look()
        .catch(this.warn)
        .finally(() => {
          // Nobody listens: the next who does begins with what is so then.
          if (this.listeners.size > 0) this.again(everyMs);
          else [this.timer, this.seen] = [null, null];
        });
    }, ms);
  }

  private async look(): Promise<void> {
    const before = this.seen;
    const now = await snapshot(this.inventory);
    if (before !== null) {
      await followUp(this.inventory, before, now);
      for (const [key, one] of now) if (told(one) !== told(before.get(key))) this.tell(one);
    }
    this.seen = now;
  }

  private tell(seen: Seen): void {
    this.next += 1;
    const event = { id: this.next, at: this.inventory.now(), ...seen };
    this.past.push(event);
    if (this.past.length > remembered) this.past.shift();
    for (const listener of this.listeners) listener(event);
  }
}

const told = (seen: Seen | undefined): string => JSON.stringify(seen?.data ?? null);

/** What runs, and what was begun last. */
async function snapshot(inventory: Inventory): Promise<Map<string, Seen>> {
  const all = new Map<string, Seen>();
  const put = (seen: Seen) => all.set(`${seen.type} ${seen.data.id}`, seen);
  for (const by of [{ state: 'running', limit: 1000 }, { limit: 100 }] as const) {
    for (const run of await listRuns(inventory, by)) put(seenRun(run));
    for (const operation of await listOperations(inventory, by)) put(seenOperation(operation));
  }
  for (const { id, host, state, waitsFor, endedAt } of await listIncidents(inventory, { limit: 200 }))
    put({ type: 'incident', data: { id, state, subject: host, waitsFor, endedAt } });
  return all;
}

/** What ran before and is no longer among them has ended; how is looked up by its id. */
async function followUp(
  inventory: Inventory,
  before: ReadonlyMap<string, Seen>,
  now: Map<string, Seen>,
): Promise<void> {
  for (const [key, { type, data }] of before) {
    if (now.has(key) || data.state !== 'running') continue;
    if (type === 'run') now.set(key, seenRun(await getRun(inventory, data.id)));
    if (type === 'operation') now.set(key, seenOperation(await getOperation(inventory, data.id)));
  }
}

const seenRun = ({
  id,
  runbook,
  state,
  by,
  steps,
  endedAt,
  error,
}: Awaited<ReturnType<typeof getRun>>): Seen => ({
  type: 'run',
  data: {
    id,
    state,
    subject: runbook,
    by,
    steps: steps.map((step) => ({ id: step.id, state: step.state, done: step.done, total: step.total })),
    endedAt,
    error: error?.code ?? null,
  },
});

const seenOperation = ({
  id,
  kind,
  state,
  instance,
  host,
  by,
  endedAt,
  error,
}: Awaited<ReturnType<typeof getOperation>>): Seen => ({
  type: 'operation',
  data: {
    id,
    state,
    operation: kind,
    subject: instance ?? host ?? '',
    by,
    endedAt,
    error: error?.code ?? null,
  },
});
