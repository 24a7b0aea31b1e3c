/** What the worker makes of what hosts tell: with a real inventory, and hosts that say what the test wants. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { GuestEvent, Hypervisor } from '../../../activities/hypervisor/port.js';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { listGuestEvents } from '../../../activities/inventory/guest-events.js';
import { putHost, recordProbe, setHostEnabled } from '../../../activities/inventory/hosts.js';
import { adoptInstance } from '../../../activities/inventory/instances.js';
import { observe } from '../../../worker/observer.js';

const id = randomUUID();
let inventory: Inventory;
let asked: string[];
let answer: Record<string, unknown> | null;
let logged: string[];
let watched: Map<string, { tell(event: GuestEvent): void; fail(): void }>;
let begun: string[];
let ended: AbortController;
let done: Promise<void>;
let watchAlso: (signal: AbortSignal) => Promise<void>;
let operates: (operation: string) => Promise<Record<string, unknown> | null>;

beforeEach(async () => {
  inventory = await openInventory({ path: ':memory:' });
  for (const name of ['h1', 'h2']) {
    await putHost(inventory, {
      name,
      uri: `test://${name}`,
      slots: 2,
      cpuOvercommit: 1,
      memoryMiBReserved: 0,
      labels: {},
    });
    const facts = { hostname: name, systemUuid: name, vcpus: 8, memoryMiB: 8192, hypervisor: 'test' };
    await recordProbe(inventory, name, { up: true, facts });
  }
  await adoptInstance(inventory, {
    id,
    name: 'web-1',
    host: 'h1',
    state: 'active',
    powerState: 'running',
    flavor: null,
    vcpus: 1,
    memoryMiB: 128,
    disks: [],
    metadata: {},
  });
  [asked, logged, begun, answer] = [[], [], [], {}];
  watched = new Map();
  ended = new AbortController();
  const hypervisor = {
    watch: (host, tell, signal) =>
      new Promise<void>((enough, fail) => {
        begun.push(host.name);
        watched.set(host.name, { tell, fail: () => fail(new Error('lost')) });
        signal.addEventListener('abort', () => {
          watched.delete(host.name);
          enough();
        });
      }),
  } as Partial<Hypervisor> as Hypervisor;
  const log = {
    info: (text: string) => void logged.push(text),
    warn: (text: string) => void logged.push(text),
  };
  const operate = async (operation: string, _instance: string, by: string) => {
    asked.push(`${operation} by ${by}`);
    return operates(operation);
  };
  operates = async () => answer;
  const pace = { hostsEveryMs: 20, firstRetryMs: 10, mostRetryMs: 40, settleMs: 1 };
  watchAlso = (signal) => observe({ hypervisor, inventory, operate, log, pace }, signal);
  done = watchAlso(ended.signal);
  await vi.waitFor(() => expect(watched.size).toBe(2));
});
afterEach(async () => {
  ended.abort();
  await done;
  await closeInventory(inventory);
});

const crash = { id, event: 'stopped', detail: 'Stopped Failed' } as const;
const tell = (host: string, event: Omit<GuestEvent, 'at'> = crash) =>
  watched.get(host)?.tell({ at: new Date(Date.now() + 5).toISOString(), ...event });

test('a guest that ends by itself is looked at, and the event is kept', async () => {
  tell('h1');
  await vi.waitFor(() => expect(asked).toEqual(['instance.repair by observer']));
  expect(await listGuestEvents(inventory, id)).toMatchObject([
    { host: 'h1', event: 'stopped', detail: 'Stopped Failed', cause: null },
  ]);
});

test('a restart that is due is begun once the repair is done', async () => {
  answer = { note: 'its process died', restart: 'due' };
  tell('h1');
  await vi.waitFor(() =>
    expect(asked).toEqual(['instance.repair by observer', 'instance.start by restart-policy']),
  );
});

test('where another operation runs, or another worker was faster, nothing more is done', async () => {
  answer = null;
  tell('h1');
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(logged).toEqual([]);
});

test('two workers hear the same, and one is late: it is told once, and started once', async () => {
  // The first repair finds what happened and closes it; the second, begun before it was closed, finds it so.
  const repairs = () => asked.filter((one) => one.startsWith('instance.repair')).length;
  const repair = async () => {
    if (repairs() > 1) return {};
    await vi.waitFor(() => expect(repairs()).toBe(2));
    await inventory.kysely.updateTable('instances').set({ state: 'stopped' }).execute();
    return { note: 'its process on h1 died', restart: 'due' };
  };
  operates = async (operation) => (operation === 'instance.repair' ? repair() : {});
  const first = [...watched];
  const other = new AbortController();
  const also = watchAlso(other.signal);
  await vi.waitFor(() => expect(begun).toHaveLength(4));
  const event = { at: new Date(Date.now() + 5).toISOString(), ...crash };
  for (const [host, watch] of [...first, ...watched]) if (host === 'h1') watch.tell(event);
  await vi.waitFor(() =>
    expect(asked.toSorted()).toEqual([
      'instance.repair by observer',
      'instance.repair by observer',
      'instance.start by restart-policy',
    ]),
  );
  await vi.waitFor(() => expect(logged).toHaveLength(2));
  expect(logged[0]).toContain('its process on h1 died');
  expect(await listGuestEvents(inventory, id)).toHaveLength(1);
  other.abort();
  await also;
});

test('of another host, of nobody’s guest, of an instance that is busy or stopped, nothing is asked', async () => {
  tell('h2');
  tell('h1', { ...crash, id: randomUUID() });
  await inventory.kysely.updateTable('instances').set({ op_id: 'op-1' }).execute();
  tell('h1');
  await new Promise((resolve) => void setTimeout(resolve, 50));
  await inventory.kysely.updateTable('instances').set({ op_id: null, state: 'stopped' }).execute();
  tell('h1');
  await new Promise((resolve) => void setTimeout(resolve, 50));
  expect(asked).toEqual([]);
  expect(await listGuestEvents(inventory, id)).toEqual([]);
});

test('a watch that breaks is begun again; a host that is disabled is watched on, one that is silent is not', async () => {
  watched.get('h1')?.fail();
  await vi.waitFor(() => expect(begun.filter((name) => name === 'h1').length).toBeGreaterThan(1));
  await setHostEnabled(inventory, { host: 'h2', enabled: false, reason: 'why', by: 'ann' });
  await recordProbe(inventory, 'h1', { up: false, reason: 'no answer' });
  await vi.waitFor(() => expect([...watched.keys()]).toEqual(['h2']));
});
