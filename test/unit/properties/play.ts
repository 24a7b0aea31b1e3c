/** Runs a random runbook on a small cloud in virtual time, with troubles and people, and notes what really happened. */
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { setLock } from '../../../activities/inventory/instances.js';
import { getRun } from '../../../activities/inventory/runs.js';
import { listRunItems } from '../../../activities/inventory/run-items.js';
import { giveFault, type Fault } from '../../../activities/simulator/faults.js';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { formatIssues } from '../../../config/issues.js';
import type { RunItemRow, RunRecord } from '../../../model/run.js';
import type { FrozenRunbook, Runbook } from '../../../model/runbook.js';
import { checkRunbook } from '../../../runbooks/language/check.js';
import { freeze } from '../../../runbooks/language/load.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import type { Ending } from '../../../virtual/ending.js';
import { belowRunbook, type Tree } from './runbooks.js';
import { watchChildren, type Child } from './watch.js';

/** What goes wrong, and what people do, at seconds from the beginning. */
export interface Trouble {
  seed: number;
  locked: string[];
  faults: Fault[];
  asks: { at: number; do: 'cancel' | 'keep' | 'pause' | 'resume' | 'approve' | 'reject' | 'from-outside' }[];
}

export interface Played {
  runbook: Runbook;
  ending: Ending;
  record: RunRecord;
  items: RunItemRow[];
  children: Child[];
  /** From when to when it was paused, in ms of virtual time; null while it still is. */
  pauses: { from: number; to: number | null }[];
  /** When it was asked to end before its time. */
  cancelledAt: number | null;
  /** When the run itself ended. */
  endedAt: number;
  before: string[];
  after: string[];
  log: string;
}

const call = fc.constantFrom('pause', 'unpause', 'requestShutdown', 'destroy', 'start', 'look');
const fault = fc.oneof(
  fc
    .record({ call, nth: fc.integer({ min: 1, max: 6 }), times: fc.integer({ min: 1, max: 5 }) })
    .map((about): Fault => ({ do: 'fail', ...about, message: 'injected' })),
  fc
    .constantFrom('host-1', 'host-2', 'host-3')
    .map((host): Fault => ({ do: 'slow', hosts: [host], 'call-ms': 3000 })),
);
const at = fc.integer({ min: 0, max: 600 }).map((tenths) => tenths / 10);
const asks = ['cancel', 'keep', 'pause', 'resume', 'approve', 'reject', 'from-outside'] as const;

export const anyTrouble: fc.Arbitrary<Trouble> = fc.record({
  seed: fc.nat(1_000_000),
  locked: fc.subarray(['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5'], { maxLength: 2 }),
  faults: fc.array(fault, { maxLength: 4 }),
  asks: fc.array(fc.record({ at, do: fc.constantFrom(...asks) }), { maxLength: 4 }),
});
/** Nothing fails, and somebody cancels. */
export const onlyCancel: fc.Arbitrary<Trouble> = fc.record({
  seed: fc.nat(1_000_000),
  locked: fc.constant([]),
  faults: fc.constant([]),
  asks: fc.tuple(
    fc.record({
      at: fc.integer({ min: 0, max: 200 }).map((t) => t / 10),
      do: fc.constantFrom('cancel' as const, 'from-outside' as const),
    }),
  ),
});

/** Nothing happens but the run. */
export const quiet: Trouble = { seed: 1, locked: [], faults: [], asks: [] };

/** Checked and frozen, as a run takes it. Throws what `check` says. */
export function frozen(tree: Tree): FrozenRunbook {
  const below = freezeTree(belowRunbook);
  return { ...freezeTree(tree), runbooks: { below } };
}

function freezeTree(tree: Tree): FrozenRunbook {
  const source = stringify(tree);
  const base = runbookCatalogue();
  const signature = { inputs: { instance: { type: 'instance' as const } }, outputs: { paused: 'int' } };
  const catalogue = { ...base, runbooks: new Map([['below', signature]]) };
  const { runbook, issues } = checkRunbook(source, 'random.yaml', catalogue);
  if (!runbook || issues.length > 0) throw new Error(`check refuses it:\n${formatIssues(issues)}\n${source}`);
  return freeze(source, runbook);
}

export async function play(tree: Tree, trouble: Trouble): Promise<Played> {
  const plan = frozen(tree);
  const cloud = await VirtualCloud.open({ seed: trouble.seed, hosts: 3 });
  try {
    const states = ['active', 'paused', 'stopped', 'active', 'active'] as const;
    for (const [index, state] of states.entries())
      await cloud.adopt(`vm-${index + 1}`, { host: `host-${(index % 3) + 1}`, state });
    for (const name of trouble.locked) await setLock(cloud.inventory, name, { reason: 'x', by: 'y' });
    await cloud.datacenter.transact((tx) => {
      for (const one of trouble.faults) giveFault(tx, one);
    });
    const before = await stateOf(cloud);
    const children = watchChildren(cloud);
    const handle = cloud.runbook(plan, {}, { role: 'operator' });
    const told: Pick<Played, 'pauses' | 'cancelledAt'> = { pauses: [], cancelledAt: null };
    for (const one of trouble.asks)
      cloud.clock.timer(one.at * 1000, () => void ask(cloud, handle.run, one.do, told));
    // Nobody may be left to resume it: then somebody does, at last.
    cloud.clock.timer(3_600_000, () => void ask(cloud, handle.run, 'resume', told));
    const ending = await handle.ending;
    const endedAt = cloud.clock.now();
    await cloud.settle();
    return {
      runbook: plan.runbook,
      ending,
      record: await getRun(cloud.inventory, handle.id),
      items: await listRunItems(cloud.inventory, handle.id),
      children,
      ...told,
      endedAt,
      before,
      after: await stateOf(cloud),
      log: cloud.log.text(),
    };
  } finally {
    await cloud.close();
  }
}

async function ask(
  { clock }: VirtualCloud,
  run: ReturnType<VirtualCloud['runbook']>['run'],
  what: Trouble['asks'][number]['do'],
  told: Pick<Played, 'pauses' | 'cancelledAt'>,
): Promise<void> {
  if (!run.open) return;
  const now = clock.now();
  if (what === 'from-outside') {
    told.cancelledAt ??= now;
    endPause(told, now);
    return run.cancel();
  }
  const name = what === 'keep' ? 'cancel' : what;
  const more = name === 'cancel' ? { undo: what === 'cancel' } : { step: null };
  const by = `${what}-${now}`;
  const accepted = run.ask(name, { by, role: 'admin', comment: null, ...more });
  try {
    await accepted;
  } catch {
    return;
  }
  if (name === 'pause') told.pauses.push({ from: now, to: null });
  if (name === 'resume') endPause(told, now);
  if (name === 'cancel') {
    told.cancelledAt ??= now;
    endPause(told, now);
  }
}

function endPause({ pauses }: Pick<Played, 'pauses'>, now: number): void {
  const last = pauses.at(-1);
  if (last) last.to ??= now;
}

async function stateOf({ inventory }: VirtualCloud): Promise<string[]> {
  const instances = await inventory.kysely
    .selectFrom('instances')
    .select(['name', 'state', 'host', 'power_state'])
    .orderBy('name')
    .execute();
  const hosts = await inventory.kysely
    .selectFrom('hosts')
    .select(['name', 'enabled'])
    .orderBy('name')
    .execute();
  return [...instances, ...hosts].map((row) => JSON.stringify(row));
}
