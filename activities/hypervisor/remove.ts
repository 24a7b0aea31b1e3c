import { DroverError } from '../../model/errors.js';
import type { Call, Guest, UndoAnswer } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { ownerOf, refuseStale } from './guard.js';

/** Ends the guest's process and removes its definition; what is gone already is undone. */
export async function removeGuest(
  { hypervisor }: HypervisorDeps,
  input: Guest,
  call: Call,
): Promise<UndoAnswer> {
  const { host, instance, name } = input;
  const owner = ownerOf(call);
  const view = await hypervisor.look(host, instance);
  if (view === null) return { undone: true };
  refuseStale(view, owner);
  const job = view.power === 'shutoff' ? null : await hypervisor.job(host, instance);
  if (view.power === 'migrating' || job !== null) {
    throw new DroverError(
      'HypervisorError',
      `${host.name}: ${name} has a job (${job?.operation ?? 'migration'}); it must end first`,
      {
        details: { host: host.name, job },
      },
    );
  }
  await hypervisor.destroy(host, instance);
  await hypervisor.undefine(host, instance);
  if ((await hypervisor.look(host, instance)) !== null) {
    throw new DroverError('HypervisorError', `${host.name}: ${name} is still there after it was removed`, {
      details: { host: host.name },
    });
  }
  return { undone: true };
}

/** The definition alone: whoever runs from it meanwhile keeps it. */
export async function removeDefinition(
  { hypervisor }: HypervisorDeps,
  { host, instance, name }: Guest,
  call: Call,
): Promise<void> {
  const owner = ownerOf(call);
  const view = await hypervisor.look(host, instance);
  if (view === null) return;
  refuseStale(view, owner);
  if (view.power !== 'shutoff' && view.power !== 'crashed') {
    throw new DroverError('HypervisorError', `${host.name}: ${name} is ${view.power}; its definition stays`, {
      details: { host: host.name },
      hint: 'look which of its copies is right: drover audit inventory',
    });
  }
  await hypervisor.undefine(host, instance);
}

export async function disableAutostart(
  { hypervisor }: HypervisorDeps,
  { host, instance }: Guest,
  call: Call,
): Promise<void> {
  const view = await hypervisor.look(host, instance);
  if (view === null) return;
  refuseStale(view, ownerOf(call));
  await hypervisor.disableAutostart(host, instance);
}
