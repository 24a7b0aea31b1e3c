/**
 * A workflow of its own for what is to happen much later: an operation that waited so long would keep its instance busy.
 * It looks first whether there is still something to do: somebody may have done it by hand, or another operation since.
 */
import { DroverError } from '../model/errors.js';
import type { Instance } from '../model/instance.js';
import type { ChildRequest, DelayedOrder, Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

/** An operation that runs meanwhile is waited for; what else refuses it is tried again, less and less often, for a day. */
const waitSeconds = 600;
const firstMs = 60_000;
const mostMs = 3_600_000;
const tries = 30;

export async function runDelayed(order: DelayedOrder, rt: Runtime): Promise<{ note: string }> {
  if (!isOrder(order))
    throw new DroverError('InvalidInput', 'it is started by the operation that leaves it alone');
  const { child, of, afterMs } = order;
  if (child.operation === 'host.recover') {
    // What the janitor begins again, and does not wait for.
    const refused = await tryOnce(child, rt);
    return told(rt, refused === null ? 'done' : refused.message);
  }
  rt.show('waiting', `${child.operation} of ${child.label} in ${Math.round(afterMs / 1000)} s`);
  await rt.sleep(afterMs, `${child.operation} of ${child.label}`);
  let why = '';
  let pauseMs = firstMs;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const instance = await find(child.subject, rt);
    if (instance?.resized?.operation !== of) return told(rt, 'there is nothing to do any more');
    const refused = await tryOnce(child, rt);
    if (refused === null) return told(rt, 'done');
    why = refused.message;
    if (refused.code === 'InstanceBusy') {
      const workflowId = rt.subjectId(child.operation, child.subject);
      await rt.activity('waitForWorkflow', { workflowId, seconds: waitSeconds });
    } else {
      rt.show('waiting', `It was refused, and is tried again: ${why}`);
      await rt.sleep(pauseMs, `tried again: ${why}`);
      pauseMs = Math.min(2 * pauseMs, mostMs);
    }
  }
  return told(rt, `given up, it is left to be done by hand: ${why}`);
}

/** What somebody starts by hand must not fail the workflow task for ever. */
const isOrder = (order: Partial<DelayedOrder> | null | undefined): order is DelayedOrder =>
  typeof order?.of === 'string' &&
  typeof order.afterMs === 'number' &&
  typeof order.child?.subject === 'string';

/** Each time a request of its own: one that was refused would be answered the same again. */
async function tryOnce(child: ChildRequest, rt: Runtime): Promise<DroverError | null> {
  try {
    await rt.child({ ...child, request: { ...child.request, id: rt.id() } });
    return null;
  } catch (error) {
    const why = asDroverError(error);
    if (why.code === 'Cancelled' && rt.cancelled()) throw why;
    return why;
  }
}

async function find(instance: string, rt: Runtime): Promise<Instance | null> {
  try {
    return await rt.activity('getInstance', { instance });
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return null;
    throw error;
  }
}

function told(rt: Runtime, note: string): { note: string } {
  rt.show('ended', note);
  return { note };
}
