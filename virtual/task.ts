/** An activity that a workflow has asked for: its attempts, as Temporal makes them. */
import { activityLimits, attemptLimit, hostWorkerLimit, vantageLimit } from '../activities/limits.js';
import { activityTable } from '../activities/table.js';
import type { ActivityName, Envelope } from '../activities/types.js';
import { hostOfPlace, vantageOfPlace } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { hostWorkerMissing, vantageMissing } from '../model/missing-worker.js';
import { Attempt, type Outcome } from './attempt.js';
import type { VirtualClock } from './clock.js';
import { isShared, vantageAt, type Place } from './places.js';
import type { WorkerProcess } from './process.js';
import type { Scope } from './scope.js';
import type { Trouble } from './trouble.js';

export interface Task {
  name: ActivityName;
  envelope: Envelope;
  /** Whose worker does it. */
  place: Place;
  /** Seconds for all of it, where the caller says so. */
  within: number | null;
  troubles: readonly Trouble[];
  twice: boolean;
}

/** What the attempts need of the workflow that asks. */
export interface TaskRun {
  readonly terminated: boolean;
  cancel(): void;
  terminate(): void;
  /** What it answers forgets the hook. */
  onTerminated(hook: () => void): () => void;
  crash(process: WorkerProcess): void;
  fault(what: string): void;
}

export interface Workers {
  of(place: Place): WorkerProcess | undefined;
  /** Called once, when a worker of the place begins; what it answers forgets that. */
  onStart(place: Place, begin: () => void): () => void;
}

export async function perform(
  task: Task,
  scope: Scope<TaskRun>,
  clock: VirtualClock,
  workers: Workers,
): Promise<unknown> {
  const { name, within } = task;
  const limits = activityLimits[activityTable[name].class];
  const begun = clock.now();
  const most = within === null ? limits.scheduleToClose : within * 1000;
  const last = begun + (most ?? Infinity);
  const patient = Math.min(last, begun + (limits.patience ?? Infinity));
  let wait = limits.retryFirst;
  for (let number = 1; ; number += 1) {
    if (scope.run.terminated) return never();
    const process = await taken(task, scope, clock, workers);
    const attempt = new Attempt(task, process, clock, scope, number, begun);
    const outcome = await attempt.run(
      Math.min(attemptLimit(limits, clock.now() - begun), last - clock.now()),
    );
    if (outcome.kind === 'answered') return outcome.answer;
    if (scope.run.terminated) return never();
    const { error, again } = judged(task, outcome);
    const until = error.code === 'InventoryUnavailable' ? last : patient;
    const onward = again && !scope.cancelled && clock.now() + wait < until;
    scope.run.fault(
      `${callOf(task)} failed: ${error.code}: ${error.message}${onward ? `; again in ${wait / 1000} s` : ''}`,
    );
    if (!onward) throw error;
    await pauseOf(wait, task, scope, clock);
    wait = Math.min(2 * wait, limits.retryMost);
  }
}

/** Nobody waits for it any more. */
const never = <T>(): Promise<T> => new Promise(() => {});

/** What the log calls it. */
export function callOf({ name, place }: Pick<Task, 'name' | 'place'>): string {
  const vantage = vantageAt(place);
  if (vantage !== null) return `${name} at ${vantageOfPlace(vantage)}`;
  return place === null || isShared(place) ? name : `${name} on ${hostOfPlace(place)}`;
}

function judged(task: Task, outcome: Exclude<Outcome, { kind: 'answered' }>) {
  if (outcome.kind === 'silent') {
    return {
      error: new DroverError('TimedOut', `${callOf(task)} did not end in time (${outcome.limit})`),
      again: true,
    };
  }
  if (outcome.failure.cancelled) return { error: cancelled(task), again: false };
  return outcome.failure;
}

const cancelled = (task: Task): DroverError => new DroverError('Cancelled', `${callOf(task)} was cancelled`);

/** The worker that takes the task; one of a host may be away for as long as Temporal lets a task wait. */
function taken(
  task: Task,
  scope: Scope<TaskRun>,
  clock: VirtualClock,
  workers: Workers,
): Promise<WorkerProcess> | WorkerProcess {
  const { place } = task;
  const there = workers.of(place);
  if (there) return there;
  return new Promise((resolve, reject) => {
    const ends: (() => void)[] = [];
    const settle = (error?: DroverError) => {
      for (const end of ends) end();
      const process = workers.of(place);
      if (error) reject(error);
      else if (process) resolve(process);
    };
    ends.push(
      workers.onStart(place, () => settle()),
      scope.onCancel(() => settle(cancelled(task))),
    );
    const late = limitOf(task);
    if (late !== null) ends.push(clock.timer(late.ms, () => settle(late.error)));
  });
}

/** How long it may wait for its worker, and what it means that none came; null for ever. */
function limitOf(task: Task): { ms: number; error: DroverError } | null {
  const { place, within } = task;
  if (place === null || isShared(place)) return null;
  const vantage = vantageAt(place);
  if (vantage !== null)
    return { ms: vantageLimit, error: vantageMissing(vantageOfPlace(vantage), task.name) };
  const ms = within === null ? hostWorkerLimit : within * 1000;
  return { ms, error: hostWorkerMissing(hostOfPlace(place), callOf(task)) };
}

/** An activity that waits for its next attempt is cancelled at once. */
function pauseOf(ms: number, task: Task, scope: Scope<TaskRun>, clock: VirtualClock): Promise<void> {
  return new Promise((resolve, reject) => {
    const off = clock.timer(ms, () => {
      forget();
      resolve();
    });
    const forget = scope.onCancel(() => {
      off();
      reject(cancelled(task));
    });
  });
}
