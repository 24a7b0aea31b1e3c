import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Answer, Call, Guest } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { ownerOf, refuseStale } from './guard.js';
import type { GuestView } from './port.js';
import { lookAt } from './verdict.js';

/**
 * What a failed post-copy left: the half on the source first, which must never run again, then the one on the target,
 * where the disks are current. What it had in memory is lost with them, as whoever asks for this knows.
 */
export async function clearHalves(
  deps: HypervisorDeps,
  input: Guest,
  call: Call,
): Promise<Answer<'clearHalves'>> {
  const { hypervisor } = deps;
  const { instance, name, host } = input;
  const owner = ownerOf(call);
  const there = await hypervisor.look(host, instance);
  if (there !== null) refuseStale(there, owner);
  const { source, copied } = await lastMove(deps, input);
  const left: string[] = [];
  if (source !== null) {
    const side = await lookAt(hypervisor, source, instance);
    if (!side.answered) {
      // Nobody resumes a half there but by hand, and a host that is off has none: the guest needn't wait for it.
      left.push(`what is left of ${name} on ${source.name}, which does not answer: it must not be started`);
    } else if (side.view !== null) {
      refuseStale(side.view, owner);
      await clear(deps, input, source, side.view, there);
    }
  }
  if (there !== null && there.postCopy !== null) await hypervisor.destroy(host, instance);
  return { left, source, copied };
}

async function clear(
  { hypervisor }: HypervisorDeps,
  { instance, name, host }: Guest,
  source: HostRef,
  view: GuestView,
  there: GuestView | null,
): Promise<void> {
  if (view.power === 'running' || view.power === 'paused') {
    throw new DroverError(
      'WrongState',
      `${name} is whole on ${source.name} (${view.power}): it is not removed`,
      {
        hint: 'look at both hosts; what runs must be ended by hand before it is started elsewhere',
      },
    );
  }
  await hypervisor.destroy(source, instance);
  // Without one of its own the target could not start it.
  if (there === null) await hypervisor.copyDefinition(source, host, instance);
  await hypervisor.undefine(source, instance);
}

/** Where its last live migration came from; nothing where that did not lead to this host. */
async function lastMove(
  { inventory }: HypervisorDeps,
  { instance, host }: Guest,
): Promise<{ source: HostRef | null; copied: string[] }> {
  const last = (await inventory.migrations(instance)).find(({ target }) => target === host.name);
  const source = (await inventory.hosts()).find(({ name }) => name === last?.source) ?? null;
  return { source, copied: last?.copied ?? [] };
}
