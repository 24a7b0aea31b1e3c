import type { HostRef } from '../../../model/host.js';
import type { InstancePatch, IntentCall } from '../../../model/operation.js';
import { intent, type Ctx } from '../../ctx.js';

/** Stops the guest for a while; undone, it is started again. */
export async function stopHere(ctx: Ctx, host: HostRef, graceSeconds: number): Promise<void> {
  const guest = { instance: ctx.instance.id, name: ctx.instance.name, host };
  ctx.phase('stopping', `shut down on ${host.name}, by force after ${graceSeconds} s`);
  await ctx.call(
    'stopGuest',
    { ...guest, graceSeconds },
    { undo: intent('restartGuest', { ...guest, graceSeconds }, `${guest.name} may be off on ${host.name}`) },
  );
}

/** Starts it. Once it runs that is the truth: the undo commits what the operation was to commit. */
export async function startThere(
  ctx: Ctx,
  host: HostRef,
  done: { patch: InstancePatch; cleanup: IntentCall[] },
): Promise<void> {
  const guest = { instance: ctx.instance.id, name: ctx.instance.name, host };
  ctx.phase('starting', `start on ${host.name}`);
  await ctx.call('startGuest', guest, {
    undo: intent('undoArrival', { ...guest, ...done }, `${guest.name} may run on ${host.name}`),
  });
}
