import { DroverError } from '../../model/errors.js';
import type { PowerState } from '../../model/instance.js';
import type { Call, Guest } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { notThere, pause, takeGuest } from './guard.js';

export const isOff = (power: PowerState): boolean => power === 'shutoff' || power === 'crashed';

export async function startGuest(
  { hypervisor, inventory }: Pick<HypervisorDeps, 'hypervisor' | 'inventory'>,
  input: Guest,
  call: Call,
): Promise<{ power: PowerState }> {
  const view = await takeGuest(hypervisor, input.host, input.instance, call);
  if (view === null) throw notThere(input.host, input.name);
  if (view.power !== 'running') await hypervisor.start(input.host, input.instance, view);
  const after = await hypervisor.look(input.host, input.instance);
  if (after !== null) await inventory.recordGuest(input.host.name, after);
  return { power: after?.power ?? 'absent' };
}

/** Off is the goal, so a guest that is off already, or crashes meanwhile, is success. */
export async function stopGuest(
  deps: HypervisorDeps,
  input: Guest & { graceSeconds: number },
  call: Call,
): Promise<{ forced: boolean }> {
  const { hypervisor } = deps;
  const view = await takeGuest(hypervisor, input.host, input.instance, call);
  if (view === null) throw notThere(input.host, input.name);
  if (isOff(view.power)) return { forced: false };
  refuseMoving(view.power, input);
  // A paused guest can't hear the button.
  if (view.power === 'running' && (await shutDown(deps, input, call))) return { forced: false };
  await hypervisor.destroy(input.host, input.instance);
  return { forced: true };
}

/**
 * As Nova does it: the soft reboot is a shutdown that is waited for, and a start; a guest that does not go
 * down in its grace time is reset. So it always ends in a fresh start, with the definition of now.
 */
export async function rebootGuest(
  deps: HypervisorDeps,
  input: Guest & { soft: boolean; graceSeconds: number },
  call: Call,
): Promise<{ forced: boolean }> {
  const { hypervisor } = deps;
  const view = await takeGuest(hypervisor, input.host, input.instance, call);
  if (view === null) throw notThere(input.host, input.name);
  refuseMoving(view.power, input);
  let forced = false;
  if (!isOff(view.power)) {
    forced = !(input.soft && view.power === 'running' && (await shutDown(deps, input, call)));
    if (forced) await hypervisor.destroy(input.host, input.instance);
  }
  await hypervisor.start(input.host, input.instance);
  return { forced };
}

export async function pauseGuest(
  { hypervisor }: HypervisorDeps,
  input: Guest & { undo?: boolean },
  call: Call,
): Promise<void> {
  const power = await powerToChange(hypervisor, input, call);
  if (power !== null && power !== 'paused') await hypervisor.pause(input.host, input.instance);
}

export async function unpauseGuest(
  { hypervisor }: HypervisorDeps,
  input: Guest & { undo?: boolean },
  call: Call,
): Promise<void> {
  const power = await powerToChange(hypervisor, input, call);
  if (power !== null && power !== 'running') await hypervisor.unpause(input.host, input.instance);
}

/** What pausing or its undo finds; null where there is nothing to take back, since the guest is off or gone. */
async function powerToChange(
  hypervisor: HypervisorDeps['hypervisor'],
  input: Guest & { undo?: boolean },
  call: Call,
): Promise<PowerState | null> {
  const view = await takeGuest(hypervisor, input.host, input.instance, call);
  if (input.undo === true && (view === null || isOff(view.power))) return null;
  if (view === null) throw notThere(input.host, input.name);
  return view.power;
}

/** Presses the button and watches; true when the guest went down within its grace time. */
async function shutDown(
  deps: HypervisorDeps,
  input: Guest & { graceSeconds: number },
  call: Call,
): Promise<boolean> {
  const { hypervisor, pace, clock } = deps;
  const begun = clock.now();
  const until = begun + input.graceSeconds * 1000;
  let pressedAt = -Infinity;
  while (clock.now() < until) {
    // Again after a while: a guest that is still booting has not heard the first one.
    if (clock.now() - pressedAt > 10_000) {
      pressedAt = clock.now();
      // It may go off between the look and the button.
      await hypervisor.requestShutdown(input.host, input.instance).catch((error: unknown) => {
        if (!(error instanceof DroverError) || error.code === 'HypervisorUnreachable') throw error;
      });
    }
    call.heartbeat({ phase: 'shutting down', elapsedMs: clock.now() - begun });
    await pause(clock, pace.pollMs, call, `${input.name} shuts down`);
    const view = await hypervisor.look(input.host, input.instance);
    if (view === null) throw notThere(input.host, input.name);
    if (isOff(view.power)) return true;
  }
  return false;
}

function refuseMoving(power: PowerState, input: Guest): void {
  if (power !== 'migrating') return;
  throw new DroverError('HypervisorError', `${input.host.name}: ${input.name} is being migrated`, {
    details: { host: input.host.name },
  });
}
