import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Owner } from '../../model/operation.js';
import type { Clock } from '../clock.js';
import type { Call } from '../types.js';
import type { GuestView, Hypervisor } from './port.js';

/** The owner of a changing call; there is none without. */
export function ownerOf(call: Call): Owner {
  if (call.owner === null)
    throw new DroverError('StaleOwner', 'a call that changes a guest must say which operation makes it');
  return call.owner;
}

/** Refuses a guest that a newer operation has stamped: this call is a late step of an older one. */
export function refuseStale(view: GuestView, owner: Owner): void {
  if (view.stamp === null || view.stamp.epoch <= owner.epoch) return;
  const message = `${view.name} belongs to operation ${view.stamp.operation} (epoch ${view.stamp.epoch}) by now`;
  throw new DroverError('StaleOwner', message, { details: { owner, stamp: view.stamp } });
}

/**
 * The guest as the host sees it, with the stamp of the operation that is about to act on it: an older
 * operation's late step then finds a newer epoch and is refused.
 */
export async function takeGuest(
  hypervisor: Hypervisor,
  host: HostRef,
  id: string,
  call: Call,
): Promise<GuestView | null> {
  const owner = ownerOf(call);
  const view = await hypervisor.look(host, id);
  if (view === null) return null;
  refuseStale(view, owner);
  // While a migration runs libvirt lets nobody change the metadata: it would wait 30 s and fail.
  if (view.power === 'migrating') return view;
  if (view.stamp?.operation !== owner.operation || view.stamp.epoch !== owner.epoch)
    await hypervisor.stamp(host, view, owner);
  return view;
}

export function notThere(host: HostRef, name: string): DroverError {
  return new DroverError('NotFound', `${host.name} has no guest ${name}`, { details: { host: host.name } });
}

/**
 * Sleeps, and leaves the activity when it was told to stop. A stop that nobody asked for (a deploy, a lost
 * heartbeat) is an error that is tried again: the next attempt goes on from what it finds.
 */
export async function pause(clock: Clock, ms: number, call: Call, doing: string): Promise<void> {
  throwIfStopped(call, doing);
  await clock.sleep(ms, call.signal);
  throwIfStopped(call, doing);
}

export function throwIfStopped(call: Call, doing: string): void {
  if (!call.signal.aborted) return;
  if (call.cancelRequested()) throw new DroverError('Cancelled', `cancelled while ${doing}`);
  throw new DroverError('Internal', `stopped following while ${doing}; the next attempt goes on`, {
    cause: call.signal.reason,
  });
}
