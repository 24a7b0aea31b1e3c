/** A schedule as it is shown: when it runs, what came of its last time, what is wrong with it. Keys are only ever added. */
import type { ScheduleExecutionResult } from '@temporalio/client';
import { scheduleId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { ScheduledAnswer, ScheduledOrder } from '../model/schedule.js';
import type { MaintenanceWindow, ScheduleTrigger } from '../model/triggers.js';
import { isOpen } from '../model/window.js';
import { scheduledRun } from '../runbooks/language/scheduled.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { runbookCatalogue } from './catalogue.js';
import { urlOf, type Caller } from './caller.js';
import { asDroverError } from './failures.js';

/** `skipped`: it was not the time for it, and `says` why. `unknown`: Temporal has forgotten it. */
interface LastTime {
  at: string;
  state: 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled' | 'unknown';
  says: string | null;
  run: string | null;
  workflowUrl: string | null;
}

export interface ScheduleView {
  name: string;
  runbook: string;
  /** Who made it; null where it is in the file of its runbook. */
  by: string | null;
  cron: string | null;
  every: string | null;
  timezone: string;
  jitter: string | null;
  overlap: ScheduleTrigger['overlap'];
  catchUp: string;
  window: MaintenanceWindow | null;
  inputs: Record<string, unknown>;
  paused: boolean;
  /** Who paused it or let it go on, and why. */
  note: string | null;
  /** The next times, RFC 3339 in UTC; `open`: within its window. Empty while it is paused. */
  next: { at: string; open: boolean }[];
  last: LastTime | null;
  /** Times that came while the run before still went on, and those that an outage took. */
  skippedOverlap: number;
  missed: number;
  /** Why its next time will fail, as far as that is known now. */
  problem: string | null;
}

const nextShown = 5;

/** Throws Temporal's own errors. */
export async function viewSchedule(
  caller: Caller,
  name: string,
  folders: readonly string[],
): Promise<ScheduleView> {
  const temporal = await caller.temporal();
  const { client } = temporal;
  const found = await client.withDeadline(Date.now() + 10_000, () =>
    client.schedule.getHandle(scheduleId(caller.cloud, name)).describe(),
  );
  const { action, state, info } = found;
  const [order] = action.args as unknown as [ScheduledOrder];
  const {
    cron = null,
    every = null,
    jitter = null,
    window = null,
    timezone,
    overlap,
    inputs,
  } = order.trigger;
  const last = info.recentActions.at(-1);
  const next = state.paused ? [] : info.nextActionTimes.slice(0, nextShown);
  return {
    name,
    runbook: order.runbook,
    by: order.by?.name ?? null,
    cron,
    every,
    timezone,
    jitter,
    overlap,
    catchUp: order.trigger['catch-up'],
    window,
    inputs,
    paused: state.paused,
    note: state.note ? state.note : null,
    next: next.map((at) => ({
      at: at.toISOString(),
      open: window === null || isOpen(window, timezone, at),
    })),
    last: last === undefined ? null : await lastTime(temporal, last),
    skippedOverlap: info.numActionsSkippedOverlap,
    missed: info.numActionsMissedCatchupWindow,
    problem: await problemOf(order, caller.inventory.now(), folders),
  };
}

async function lastTime(
  temporal: TemporalConnection,
  { takenAt, action: { workflow } }: ScheduleExecutionResult,
): Promise<LastTime> {
  const { workflowId, firstExecutionRunId } = workflow;
  const handle = temporal.client.workflow.getHandle(workflowId, firstExecutionRunId);
  const at = takenAt.toISOString();
  const told = { at, says: null, run: null, workflowUrl: urlOf(temporal, workflowId, firstExecutionRunId) };
  try {
    const answer = await temporal.client.withDeadline(Date.now() + 10_000, async () => {
      const { status } = await handle.describe();
      return status.name === 'RUNNING' ? null : ((await handle.result()) as ScheduledAnswer);
    });
    if (answer === null) return { ...told, state: 'running' };
    if ('skipped' in answer) return { ...told, state: 'skipped', says: answer.skipped };
    return { ...told, state: 'succeeded', run: answer.run };
  } catch (cause) {
    const { code, message, details } = asDroverError(cause, 'the run');
    if (code === 'NotFound' && details['run'] === undefined && isForgotten(cause))
      return { ...told, state: 'unknown' };
    if (code === 'TemporalUnreachable') throw cause;
    const run = typeof details['run'] === 'string' ? details['run'] : null;
    return { ...told, state: code === 'Cancelled' ? 'cancelled' : 'failed', says: message, run };
  }
}

const isForgotten = (cause: unknown): boolean =>
  cause instanceof Error && cause.name === 'WorkflowNotFoundError';

async function problemOf(
  order: ScheduledOrder,
  time: string,
  folders: readonly string[],
): Promise<string | null> {
  const { runbook, trigger, schedule } = order;
  try {
    await scheduledRun(
      { runbook, inputs: trigger.inputs },
      { name: schedule, time },
      folders,
      runbookCatalogue(),
    );
    return null;
  } catch (error) {
    if (error instanceof DroverError) return error.message;
    throw error;
  }
}
