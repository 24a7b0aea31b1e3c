/** Runs of runbooks on the fake cloud, and the steps that the tests make them of. */
import { randomUUID } from 'node:crypto';
import { listHosts } from '../../../activities/inventory/hosts.js';
import { getRun } from '../../../activities/inventory/runs.js';
import type { RunRecord } from '../../../model/run.js';
import { LANGUAGE_VERSION, runbookSchema, type FrozenRunbook } from '../../../model/runbook.js';
import { runRunbook } from '../../../workflows/run-runbook.js';
import { newRun } from '../../../workflows/run-state.js';
import type { FakeCloud } from './fake-cloud.js';
import { FakeRun, type Ending, type Knobs } from './fake-runtime.js';

export type Book = {
  steps: Record<string, unknown>[];
  outputs?: Record<string, unknown>;
  inputs?: Record<string, unknown>;
};

export function begin(cloud: FakeCloud, book: Book, inputs: Record<string, unknown> = {}, knobs: Knobs = {}) {
  const runbook = runbookSchema.parse({ name: 'test', description: 'A test.', ...book });
  const plan: FrozenRunbook = {
    language: LANGUAGE_VERSION,
    name: 'test',
    digest: '0'.repeat(64),
    source: 'test',
    runbook,
  };
  const id = randomUUID();
  const rt = new FakeRun(cloud, `fake/run/${id}`, knobs);
  const state = newRun({ id, by: 'anna', role: 'operator', plan, inputs });
  return { id, rt, ending: rt.run('run-runbook', () => runRunbook(state, rt)) };
}

export async function run(
  cloud: FakeCloud,
  book: Book,
  inputs?: Record<string, unknown>,
  knobs?: Knobs,
): Promise<[Ending, RunRecord]> {
  const { id, ending } = begin(cloud, book, inputs, knobs);
  const ended = await ending;
  return [ended, await getRun(cloud.inventory, id)];
}

export const adopt = (
  cloud: FakeCloud,
  count: number,
  options?: Parameters<FakeCloud['adopt']>[1],
): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => cloud.adopt(`web-${index + 1}`, options)));

export const stopAll = (ids: string[], more: Record<string, unknown> = {}) => ({
  id: 'stop',
  uses: 'instance.stop',
  'for-each': ids,
  with: { instance: '${{ item }}' },
  ...more,
});
export const drain = (more: Record<string, unknown> = {}) => ({
  id: 'move',
  uses: 'instance.live-migrate',
  'for-each': { query: 'instances', with: { host: 'h1' } },
  with: { instance: '${{ item.id }}', wait: '30s' },
  ...more,
});
export const disable = (undo?: Record<string, unknown>) => ({
  id: 'disable',
  uses: 'host.disable',
  with: { host: 'h1', reason: 'test' },
  undo: { uses: 'host.enable', with: { host: 'h1' }, ...undo },
});
export const isEnabled = async (cloud: FakeCloud) =>
  (await listHosts(cloud.inventory)).find((host) => host.name === 'h1')?.enabled;
