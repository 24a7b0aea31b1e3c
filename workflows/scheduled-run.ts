/**
 * What one time of a schedule does: the runbook of this moment is frozen, and run as a child that is waited for, so that Temporal
 * knows of a run that still goes on when the next time comes.
 */
import { DroverError } from '../model/errors.js';
import type { ScheduledAnswer, ScheduledOrder } from '../model/schedule.js';
import type { RunOrder } from './run-state.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

/** `time`: the one that the schedule meant, RFC 3339 in UTC. */
export async function runScheduled(
  order: ScheduledOrder,
  time: string,
  rt: Runtime,
): Promise<ScheduledAnswer> {
  const id = rt.id();
  const prepared = await rt.activity('prepareScheduledRun', { order, time, run: id });
  if ('skipped' in prepared) {
    rt.show('skipped', prepared.skipped);
    return prepared;
  }
  const { plan, inputs } = prepared;
  const by = `schedule ${order.schedule}`;
  const run: RunOrder = { id, by, role: 'automation', plan, inputs };
  rt.show('running', `run ${id} of ${plan.name}`);
  try {
    await rt.childRun({
      type: 'run-runbook',
      workflowId: rt.runWorkflowId(id),
      label: `${plan.name}, by ${by}`,
      runbook: plan.name,
      by,
      argument: { ...run },
    });
  } catch (cause) {
    const error = asDroverError(cause);
    // A workflow that was cancelled ends so, not as failed.
    if (rt.cancelled()) throw cause;
    throw new DroverError(error.code, error.message, {
      details: { ...error.details, run: id },
      hint: error.hint,
    });
  }
  rt.show('succeeded', `run ${id} of ${plan.name} succeeded`);
  return { run: id };
}

/** Temporal puts the time that was meant at the end of the workflow's id. */
export const timeOf = (workflowId: string): string | undefined =>
  /-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/.exec(workflowId)?.[1];

/** What somebody starts by hand must not fail the workflow task for ever. */
export function scheduledOrder(argument: unknown): ScheduledOrder {
  const { schedule, runbook, trigger } = (argument ?? {}) as Partial<ScheduledOrder>;
  if (typeof schedule === 'string' && typeof runbook === 'string' && typeof trigger === 'object')
    return argument as ScheduledOrder;
  throw new DroverError('InvalidInput', 'it is started by a schedule', {
    hint: '`drover schedule trigger NAME`, or `drover runbook run NAME`',
  });
}
