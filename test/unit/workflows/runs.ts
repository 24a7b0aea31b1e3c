/** Runs of runbooks on a cloud in virtual time, and the steps that the tests make them of. */
import { getHost } from '../../../activities/inventory/hosts.js';
import { getRun } from '../../../activities/inventory/runs.js';
import { DroverError, type ErrorCode } from '../../../model/errors.js';
import type { CancelAsk, DecisionAsk, RunProgress, RunRecord, RunStepRecord } from '../../../model/run.js';
import { LANGUAGE_VERSION, runbookSchema, type FrozenRunbook } from '../../../model/runbook.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import type { Ending } from '../../../virtual/ending.js';
import type { VirtualRun } from '../../../virtual/run.js';
import type { Knobs } from '../../../virtual/trouble.js';
import type { Ask } from '../../../workflows/run-control.js';
import type { RunOrder } from '../../../workflows/run-state.js';
import { until } from './cloud.js';

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

/** A run that was started. Time passes while its `ending` is waited for, or an answer. */
export interface Begun {
  id: string;
  rt: VirtualRun;
  readonly ending: Promise<Ending>;
  /** What a person asks of it, as by an update; answers what was said. */
  ask(given: Partial<CancelAsk & DecisionAsk> & { action: Ask['action'] }): Promise<string>;
  step(id: string): RunStepRecord;
}

export function begin(
  cloud: VirtualCloud,
  book: Book,
  inputs: Record<string, unknown> = {},
  knobs: Knobs = {},
  { plan = planOf(book), retry = null }: Partial<Pick<RunOrder, 'plan' | 'retry'>> = {},
): Begun {
  const handle = cloud.runbook(plan, inputs, { by: 'anna', role: 'operator', retry, ...knobs });
  return {
    id: handle.id,
    rt: handle.run,
    get ending() {
      return handle.ending;
    },
    async ask({ action, ...given }) {
      const who = { by: 'ben', role: 'operator', comment: null, step: null, undo: true };
      return ((await handle.update(action, { ...who, ...given })) as { said: string }).said;
    },
    step(id) {
      const found = (handle.progress() as RunProgress).steps.find((step) => step.id === id);
      if (!found) throw new Error(`it has no step ${id}`);
      return found;
    },
  };
}

export async function run(
  cloud: VirtualCloud,
  ...[book, inputs, knobs, more]: Parameters<typeof begin> extends [unknown, ...infer Rest] ? Rest : never
): Promise<[Ending, RunRecord]> {
  const begun = begin(cloud, book, inputs, knobs, more);
  return [await begun.ending, await getRun(cloud.inventory, begun.id)];
}

/** Lets time pass until the step waits for approval. */
export const waits = (cloud: VirtualCloud, begun: Begun, id = 'gate'): Promise<void> =>
  until(cloud, `${id} waits`, () => begun.step(id).state === 'waiting');

export async function adopt(
  cloud: VirtualCloud,
  count: number,
  options?: Parameters<VirtualCloud['adopt']>[1],
): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 1; index <= count; index += 1) ids.push(await cloud.adopt(`web-${index}`, options));
  return ids;
}

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
export const isEnabled = async (cloud: VirtualCloud): Promise<boolean> =>
  (await getHost(cloud.inventory, 'h1')).enabled;

/** The next `times` changes of a host fail. Answers when each was tried. `act` is called at each. */
export function flaky(
  cloud: VirtualCloud,
  times: number,
  code: ErrorCode = 'HypervisorError',
  act: (number: number) => unknown = () => undefined,
): number[] {
  const tries: number[] = [];
  const skills = cloud.temporal.of(null)?.skills;
  const change = skills?.setHostEnabled;
  if (!skills || !change) throw new Error('no control worker');
  skills.setHostEnabled = async (input, call) => {
    const number = tries.push(cloud.clock.now());
    await act(number);
    if (number <= times) throw new DroverError(code, `no, for the ${number}th time`);
    return change(input, call);
  };
  return tries;
}

/** In so many minutes. */
export const inMinutes = (cloud: VirtualCloud, minutes: number, act: () => unknown): void =>
  void cloud.clock.timer(minutes * 60_000, () => void act());

/** The most operations on instances that ever ran at the same time. */
export function mostAtOnce({ log }: VirtualCloud): number {
  let [now, most] = [0, 0];
  for (const { kind, who } of log.events) {
    if (!who.startsWith('instance.')) continue;
    if (kind === 'starts') now += 1;
    if (kind === 'ends') now -= 1;
    most = Math.max(most, now);
  }
  return most;
}
