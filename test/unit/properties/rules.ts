/** What must hold of every run, whatever was run and whatever happened: sentences of what does not. */
import type { RunItemRow, RunStepRecord } from '../../../model/run.js';
import { allSteps, type PlainStep, type Step } from '../../../model/runbook.js';
import { parseDuration } from '../../../model/duration.js';
import type { Played } from './play.js';
import type { Child } from './watch.js';

export type Rule = (played: Played) => string[];

/** Per step what the run itself asked for, without what takes back. */
export function forwardOf({ record, runbook, children }: Played, id: string): Child[] {
  const step = allSteps(runbook).find((one) => one.id === id);
  return children.filter((child) => child.run === record.id && child.step === id && child.key === step?.uses);
}

const recordOf = ({ record }: Played, id: string): RunStepRecord => {
  const found = record.steps.find((step) => step.id === id);
  if (!found) throw new Error(`the record has no step ${id}`);
  return found;
};

/** The end of the run is told to whoever asked and in the record, and fits the steps. */
export const recordTellsTheEnd: Rule = ({ ending, record }) => {
  const heard = ending.end === 'done' ? null : ending.end === 'failed' ? ending.error.code : 'terminated';
  const state =
    heard === null
      ? 'succeeded'
      : heard === 'Cancelled'
        ? 'cancelled'
        : heard === 'Rejected'
          ? 'rejected'
          : 'failed';
  const wrong: string[] = [];
  if (record.state !== state) wrong.push(`heard ${heard}, recorded ${record.state}`);
  if ((record.error?.code ?? null) !== heard) wrong.push(`heard ${heard}, recorded ${record.error?.code}`);
  if (record.endedAt === null) wrong.push('the record is open');
  for (const { id, state: at } of record.steps)
    if (at === 'running' || at === 'waiting') wrong.push(`${id} is ${at} at the end`);
  return wrong;
};

/** Counts, rows and operations say the same. */
export const countsAreTrue: Rule = (played) => {
  const { runbook, record, items } = played;
  return allSteps(runbook).flatMap((step): string[] => {
    const { id, state, done, failed, refused, total } = recordOf(played, id0(step));
    const rows = items.filter((row) => row.step === id);
    const asked = forwardOf(played, id);
    if (state === 'pending' || state === 'skipped')
      return asked.length > 0 || rows.length > 0 ? [`${id} is ${state}, and was worked on`] : [];
    if (step.uses === undefined || step.uses.startsWith('query.') || step.uses.startsWith('runbook.'))
      return [];
    const count = (...states: RunItemRow['state'][]) =>
      rows.filter((row) => states.includes(row.state)).length;
    const counts = JSON.stringify({
      state,
      done,
      failed,
      refused,
      total,
      rows: rows.map((row) => row.state),
    });
    const wrong: string[] = [];
    if (done !== count('done')) wrong.push(`${id}: done ${counts}`);
    if (failed !== count('failed', 'cancelled')) wrong.push(`${id}: failed ${counts}`);
    if (refused !== count('refused')) wrong.push(`${id}: refused ${counts}`);
    if (done + failed + refused + count('not-started') !== rows.length) wrong.push(`${id}: rows ${counts}`);
    if (step['for-each'] !== undefined && total !== rows.length) wrong.push(`${id}: total ${counts}`);
    return [
      ...wrong,
      ...rows.flatMap((row) => rowIsTrue(row, asked)),
      ...strangers(id, rows, asked, record.id),
    ];
  });
};
const id0 = (step: PlainStep): string => step.id;

/** The row of an item tells how the last operation on it ended. */
function rowIsTrue({ step, key, state, error, attempt }: RunItemRow, asked: Child[]): string[] {
  const last = asked.filter((child) => child.item === key).at(-1);
  const told = `${step} ${key} is ${state} (${error?.code}, attempt ${attempt})`;
  if (state === 'not-started') return last ? [`${told}, and was begun`] : [];
  if (!last) return state === 'done' ? [`${told}, and nothing was done`] : [];
  const ended = last.ending.end === 'failed' ? last.ending.error.code : last.ending.end;
  if (state === 'done') return ended === 'done' ? [] : [`${told}, and its operation ended ${ended}`];
  if (ended === 'done') return [`${told}, and its operation went well`];
  return error?.code === ended || state === 'cancelled' ? [] : [`${told}, and its operation ended ${ended}`];
}

const strangers = (step: string, rows: RunItemRow[], asked: Child[], run: string): string[] =>
  asked
    .filter((child) => !rows.some((row) => row.key === child.item))
    .map((child) => `${step}: nothing is recorded of ${child.item} in ${run}`);

/** At every moment no more items than allowed. */
export const neverTooManyAtOnce: Rule = (played) =>
  allSteps(played.runbook).flatMap((step) => {
    const most = step['for-each'] === undefined ? 1 : parallelOf(step);
    const asked = forwardOf(played, step.id);
    return asked
      .filter(
        (one) => asked.filter((other) => other.began <= one.began && other.ended > one.began).length > most,
      )
      .map((one) => `${step.id}: more than ${most} at the start of ${one.item}`);
  });

const parallelOf = (step: PlainStep): number => {
  const value = step['max-parallel'] ?? 1;
  return typeof value === 'number' ? value : 2;
};

/** No item starts once more have failed than may. */
export const stopsAtTheLimit: Rule = (played) =>
  allSteps(played.runbook).flatMap((step) => {
    if (step['for-each'] === undefined) return [];
    const rows = played.items.filter((row) => row.step === step.id);
    const value = step['max-failures'] ?? 0;
    const may = typeof value === 'number' ? value : Math.floor((parseInt(value, 10) / 100) * rows.length);
    const asked = forwardOf(played, step.id);
    const failed = rows.filter(({ state }) => state === 'failed' || state === 'cancelled');
    const ends = failed.flatMap((row) => {
      const mine = asked.filter((child) => child.item === row.key);
      return mine.length > 0 ? [Math.max(...mine.map(({ ended }) => ended))] : [];
    });
    const firsts = asked.filter(
      (child) => !asked.some((e) => e.item === child.item && e.began < child.began),
    );
    return firsts
      .filter((child) => ends.filter((end) => end < child.began).length > may)
      .map((child) => `${step.id}: ${child.item} began although more than ${may} had failed`);
  });

/** While it is paused nothing starts, but what is done at its end. */
export const standsWhilePaused: Rule = ({ runbook, record, pauses, children, cancelledAt, endedAt }) => {
  const atTheEnd = new Set((runbook.finally ?? []).map(({ id }) => id));
  return pauses.flatMap(({ from, to }) =>
    children
      .filter(({ run, step }) => run === record.id && !atTheEnd.has(step))
      .filter((child) => child.from > from && child.from < Math.min(to ?? endedAt, cancelledAt ?? Infinity))
      .map(
        (child) =>
          `${child.key} ${child.item} of ${child.step} began at ${child.from} in the pause from ${from} to ${to}`,
      ),
  );
};

/** Each step of finally is run once, whatever was before. */
export const finallyAlways: Rule = (played) =>
  (played.runbook.finally ?? []).flatMap((step, index, all) => {
    const { state } = recordOf(played, step.id);
    const stopped = all
      .slice(0, index)
      .some(
        (before) => recordOf(played, before.id).state === 'failed' && before['continue-on-error'] !== true,
      );
    const begun = played.ending.end === 'failed' && played.ending.error.code === 'RunBusy' ? false : !stopped;
    if (begun === (state === 'pending')) return [`finally ${step.id} is ${state}`];
    if (step['for-each'] !== undefined || step.retry) return [];
    const times = forwardOf(played, step.id).length;
    return times > 1 ? [`finally ${step.id} ran ${times} times`] : [];
  });

/** So many attempts at most, of what is to be tried again, each after the right wait. */
export const retriesAsWritten: Rule = (played) =>
  allSteps(played.runbook).flatMap((step) => {
    const { retry } = step;
    const asked = forwardOf(played, step.id);
    return [...new Set(asked.map(({ item }) => item))].flatMap((item) => {
      const attempts = asked.filter((child) => child.item === item);
      if (attempts.length > (retry?.attempts ?? 1))
        return [`${step.id} ${item}: ${attempts.length} attempts of ${retry?.attempts ?? 1}`];
      return attempts.slice(1).flatMap((child, index) => {
        const before = attempts[index];
        if (!retry || !before) return [];
        const [first = 0, most = 0] = [retry.backoff, retry['max-backoff']].map((text) =>
          parseDuration(text),
        );
        const wait = Math.min(first * retry.factor ** index, most) * 1000;
        if (before.ending.end === 'done') return [`${step.id} ${item}: tried again although it went well`];
        const waited = child.from - before.to;
        const held = played.pauses.some(
          ({ from, to }) => from <= child.from && (to ?? Infinity) >= before.to,
        );
        // Another operation may have the instance when it is to be tried again.
        const free = !played.children.some((other) => other !== child && other.to === child.from);
        const exact = !held && free;
        return waited < wait || (exact && waited !== wait)
          ? [`${step.id} ${item}: attempt ${index + 2} after ${waited} ms, not ${wait}`]
          : [];
      });
    });
  });

/** What follows a step: the next one, or the end, and what is to be done when it has failed. */
export const failureLeadsWhereWritten: Rule = (played) => {
  const { runbook, record } = played;
  const wrong: string[] = [];
  let over = false;
  const isOver = (step: Step, state: RunStepRecord['state']): boolean =>
    state === 'cancelled' || (['failed', 'rejected'].includes(state) && step['continue-on-error'] !== true);
  for (const step of runbook.steps) {
    const { state } = recordOf(played, step.id);
    const early = record.error?.code === 'Cancelled' || record.error?.code === 'RunBusy';
    if (over && state !== 'pending') wrong.push(`${step.id} is ${state} after the run was over`);
    if (!over && state === 'pending' && !early) wrong.push(`${step.id} was not reached`);
    wrong.push(
      ...followed(played, step['on-failure'], state === 'failed', `that of ${step.id}, which is ${state},`),
    );
    over ||= isOver(step, state) || state === 'pending';
  }
  wrong.push(
    ...followed(
      played,
      runbook['on-failure'],
      record.state === 'failed' && record.error?.code !== 'RunBusy',
      `that of the run, ${record.state},`,
    ),
  );
  const failed = runbook.steps.some((step) => isOver(step, recordOf(played, step.id).state));
  const last = (runbook.finally ?? []).some((step) => isOver(step, recordOf(played, step.id).state));
  if (record.state === 'succeeded' && (failed || last)) wrong.push('it succeeded, and a step did not');
  if (record.state === 'failed' && !failed && !last && record.error?.code !== 'RunBusy')
    wrong.push(`it failed, and no step did (${record.error?.message})`);
  return wrong;
};

function followed(
  played: Played,
  steps: readonly PlainStep[] | undefined,
  wanted: boolean,
  what: string,
): string[] {
  const [first] = steps ?? [];
  if (!first || played.cancelledAt !== null) return [];
  const { state } = recordOf(played, first.id);
  // The end of finally may be what fails the run: then on-failure has passed.
  if (wanted === (state !== 'pending')) return [];
  return wanted && what.startsWith('that of the run') && (played.runbook.finally?.length ?? 0) > 0
    ? []
    : [`on-failure: ${what} is ${state}`];
}

/** A time limit reaches its own step alone. */
export const timeoutsStayAtHome: Rule = (played) => {
  if (played.cancelledAt !== null) return [];
  const limited = new Set<string>();
  for (const step of played.runbook.steps) {
    const inside = [step, ...(step.parallel ?? [])];
    for (const one of inside) if (one.timeout !== undefined) limited.add(one.id);
    if (step.timeout !== undefined) for (const { id } of inside) limited.add(id);
  }
  for (const step of allSteps(played.runbook)) if (step.timeout !== undefined) limited.add(step.id);
  return played.record.steps
    .filter(
      ({ state, error, id }) => (state === 'cancelled' || error?.code === 'TimedOut') && !limited.has(id),
    )
    .map(({ id, state, error }) => `${id} is ${state} (${error?.code}) and has no time limit`);
};

export const rules: Record<string, Rule> = {
  recordTellsTheEnd,
  countsAreTrue,
  neverTooManyAtOnce,
  stopsAtTheLimit,
  standsWhilePaused,
  finallyAlways,
  retriesAsWritten,
  failureLeadsWhereWritten,
  timeoutsStayAtHome,
};
