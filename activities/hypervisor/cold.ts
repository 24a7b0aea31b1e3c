/** Moving and resizing a guest while it is off. */
import { DroverError } from '../../model/errors.js';
import type { Disk } from '../../model/instance.js';
import type { InstancePatch, IntentCall } from '../../model/operation.js';
import type { Call, ColdWays, Guest, UndoAnswer } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { notThere, ownerOf, pause, refuseStale, takeGuest } from './guard.js';
import type { GuestView } from './port.js';
import { isOff } from './power.js';
import { refuseNamesake, refuseOtherDisks, refuseWhatStaysBehind } from './prepare.js';

type Deps = Pick<HypervisorDeps, 'hypervisor'>;

export async function checkColdMove(
  { hypervisor }: Deps,
  input: ColdWays & { disks: Disk[] },
  call: Call,
): Promise<void> {
  const { instance, name, source, target } = input;
  const view = await takeGuest(hypervisor, source, instance, call);
  if (view === null) throw notThere(source, name);
  refuseWhatStaysBehind(view, source);
  refuseOtherDisks({ ...input, copy: input.disks.map((disk) => disk.target) }, view);
  const there = await hypervisor.look(target, instance);
  if (there !== null && !isOff(there.power)) {
    throw new DroverError('HypervisorError', `${target.name}: ${name} is ${there.power} there already`, {
      details: { source: source.name, target: target.name },
      hint: `find out which of the two is the right one, and end the other by hand`,
    });
  }
  // Left by an earlier stay: what comes must not be mixed with it.
  if (there !== null) await hypervisor.undefine(target, instance);
  await refuseNamesake(hypervisor, target, view);
}

/** What is on the target already is overwritten: by an attempt before, whose answer was lost. */
export async function copyDefinition({ hypervisor }: Deps, input: ColdWays, call: Call): Promise<void> {
  const { instance, name, source, target } = input;
  const [view, there] = await Promise.all([
    takeGuest(hypervisor, source, instance, call),
    takeGuest(hypervisor, target, instance, call),
  ]);
  if (there !== null && !isOff(there.power)) throw mustBeOff(there, target);
  if (view === null && there !== null) return;
  if (view === null) throw notThere(source, name);
  if (!isOff(view.power)) throw mustBeOff(view, source);
  refuseWhatStaysBehind(view, source);
  await hypervisor.copyDefinition(source, target, instance);
  if ((await hypervisor.look(target, instance)) === null) throw notThere(target, name);
}

export async function dropDefinition({ hypervisor }: Deps, input: Guest, call: Call): Promise<void> {
  const owner = ownerOf(call);
  const view = await hypervisor.look(input.host, input.instance);
  if (view === null) return;
  refuseStale(view, owner);
  await hypervisor.undefine(input.host, input.instance);
}

export async function resizeDefinition(
  { hypervisor, inventory }: Pick<HypervisorDeps, 'hypervisor' | 'inventory'>,
  input: Guest & { vcpus: number; memoryMiB: number },
  call: Call,
): Promise<void> {
  const { host, instance, name, vcpus, memoryMiB } = input;
  const view = await takeGuest(hypervisor, host, instance, call);
  if (view === null) throw notThere(host, name);
  if (!isOff(view.power)) throw mustBeOff(view, host);
  await hypervisor.resizeDefinition(host, instance, { vcpus, memoryMiB });
  const after = await hypervisor.look(host, instance);
  if (after !== null) await inventory.recordGuest(host.name, after);
}

/**
 * One that still runs was perhaps told to go down just before: it is watched for as long as it had for that, or it would
 * be off a moment after it was said to run.
 */
export async function restartGuest(
  { hypervisor, clock, pace }: HypervisorDeps,
  input: Guest & { graceSeconds: number },
  call: Call,
): Promise<void> {
  const { host, instance, name } = input;
  const until = clock.now() + input.graceSeconds * 1000;
  let view = await takeGuest(hypervisor, host, instance, call);
  while (view !== null && !isOff(view.power) && clock.now() < until) {
    call.heartbeat({ phase: 'does it go down?' });
    await pause(clock, pace.pollMs, call, `${name} goes on`);
    view = await hypervisor.look(host, instance);
  }
  if (view === null) throw notThere(host, name);
  if (isOff(view.power)) await hypervisor.start(host, instance);
}

export async function undoArrival(
  { hypervisor }: Deps,
  input: Guest & { patch: InstancePatch; cleanup: IntentCall[] },
  call: Call,
): Promise<UndoAnswer> {
  // The stamp refuses a late step that would start it, when this has just seen that it is off.
  const view = await takeGuest(hypervisor, input.host, input.instance, call);
  if (view === null || isOff(view.power)) return { undone: true };
  return { undone: false, patch: { ...input.patch, powerState: view.power }, cleanup: input.cleanup };
}

const mustBeOff = ({ name, power }: GuestView, host: { name: string }): DroverError =>
  new DroverError(
    'HypervisorError',
    `${host.name}: ${name} is ${power}; it must be off to be moved or resized`,
    {
      details: { host: host.name },
      hint: 'somebody else may have started it meanwhile',
    },
  );
