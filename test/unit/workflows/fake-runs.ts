/** Runs of runbooks on the fake cloud, and the steps that the tests make them of. */
import { randomUUID } from 'node:crypto';
import { listHosts } from '../../../activities/inventory/hosts.js';
import { DroverError, type ErrorCode } from '../../../model/errors.js';
import { getRun } from '../../../activities/inventory/runs.js';
import type { CancelAsk, DecisionAsk, RunRecord } from '../../../model/run.js';
import { LANGUAGE_VERSION, runbookSchema, type FrozenRunbook } from '../../../model/runbook.js';
import { acceptAsk, validateAsk, type Ask } from '../../../workflows/run-control.js';
import { runRunbook } from '../../../workflows/run-runbook.js';
import { newRun, recordOf, type RunOrder } from '../../../workflows/run-state.js';
import type { FakeCloud } from './fake-cloud.js';
import { FakeRun, type Ending, type Knobs } from './fake-runtime.js';

export interface Book {
  steps: Record<string, unknown>[];
  outputs?: Record<string, unknown>;
  inputs?: Record<string, unknown>;
  concurrency?: unknown;
  'on-failure'?: Record<string, unknown>[];
  finally?: Record<string, unknown>[];
}

export function planOf(
  book: Book,
  name = 'test',
  runbooks: Record<string, FrozenRunbook> = {},
): FrozenRunbook {
  const runbook = runbookSchema.parse({ name, description: 'A test.', ...book });
  return { language: LANGUAGE_VERSION, name, digest: '0'.repeat(64), source: name, runbook, runbooks };
}

export function begin(
  cloud: FakeCloud,
  book: Book,
  inputs: Record<string, unknown> = {},
  knobs: Knobs = {},
  more: Partial<RunOrder> = {},
) {
  const id = randomUUID();
  const rt = new FakeRun(cloud, `fake/run/${id}`, knobs);
  const state = newRun({ id, by: 'anna', role: 'operator', plan: planOf(book), inputs, ...more });
  const ending = rt.run('run-runbook', () => runRunbook(state, rt));
  /** What a person asks of it, as by an update. */
  const ask = async (given: Partial<CancelAsk & DecisionAsk> & { action: Ask['action'] }) => {
    const who = { by: 'ben', role: 'operator', comment: null, step: null, undo: true };
    const asked = { ...who, ...given } as Ask;
    validateAsk(state, asked);
    const answer = await acceptAsk(state, asked, rt);
    rt.poke();
    return answer.said;
  };
  const step = (name: string) => recordOf(state, name);
  return { id, rt, state, ending, ask, step };
}

export async function run(
  cloud: FakeCloud,
  book: Book,
  inputs?: Record<string, unknown>,
  knobs?: Knobs,
  more?: Partial<RunOrder>,
): Promise<[Ending, RunRecord]> {
  const { id, ending } = begin(cloud, book, inputs, knobs, more);
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

/** The next `times` changes of a host fail. Answers when each was tried. `act` is called at each. */
export function flaky(
  cloud: FakeCloud,
  times: number,
  code: ErrorCode = 'HypervisorError',
  act: (number: number) => unknown = () => undefined,
): number[] {
  const tries: number[] = [];
  const control = cloud.control.bind(cloud);
  cloud.control = (temporal) => {
    const activities = control(temporal);
    const { setHostEnabled: change } = activities;
    return {
      ...activities,
      async setHostEnabled(input, call) {
        const number = tries.push(cloud.time.now());
        await act(number);
        if (number <= times) throw new DroverError(code, `no, for the ${number}th time`);
        if (!change) throw new Error('no inventory');
        return change(input, call);
      },
    };
  };
  return tries;
}

/** In so many minutes of the fakes' time, in which nothing else may happen. */
export const inMinutes = (cloud: FakeCloud, minutes: number, act: () => unknown): void =>
  void cloud.time.sleep(minutes * 60_000, new AbortController().signal).then(act);

/** From here on time goes by in seconds, not in jumps, so that a test can do something while a run waits. */
export async function tick(cloud: FakeCloud, until: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  void until.finally(() => over.abort());
  while (!over.signal.aborted) await cloud.time.sleep(1000, over.signal);
}
