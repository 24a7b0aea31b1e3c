import { DroverError } from '../../model/errors.js';
import { ownerOf, refuseStale } from '../hypervisor/guard.js';
import { isOff } from '../hypervisor/power.js';
import type { Hypervisor } from '../hypervisor/port.js';
import { refuseNamesake } from '../hypervisor/prepare.js';
import type { Call, Guest } from '../types.js';

/** Refuses a copy that lives: whoever began it must be heard first. */
export async function defineEvacuated(
  hypervisor: Hypervisor,
  { host, instance, name }: Guest,
  definition: string | null,
  call: Call,
): Promise<void> {
  const owner = ownerOf(call);
  if (definition === null) {
    throw new DroverError('NotFound', `nobody has ever seen how ${name} is defined`, {
      details: { instance },
      hint: 'launch it again from its disk, or wait until its host is back: drover host readmit',
    });
  }
  const view = await hypervisor.look(host, instance);
  if (view !== null) {
    refuseStale(view, owner);
    // An attempt before this one may have defined it already.
    if (!isOff(view.power)) throw lives(host.name, name, view.power);
  }
  try {
    await hypervisor.defineFrom(host, instance, definition, owner, view);
  } catch (error) {
    // The hypervisor refuses a second one of its name; only then is it worth a question which that is.
    await refuseNamesake(hypervisor, host, { id: instance, name });
    throw error;
  }
}

export async function clearBeside(
  hypervisor: Hypervisor,
  { host, instance, name }: Guest,
  call: Call,
): Promise<void> {
  const view = await hypervisor.look(host, instance);
  if (view === null) return;
  refuseStale(view, ownerOf(call));
  if (view.power === 'running' || view.power === 'paused') throw lives(host.name, name, view.power);
  // Its other half was lost with its host: it is no guest that could go on.
  await hypervisor.destroy(host, instance);
  await hypervisor.undefine(host, instance);
}

const lives = (host: string, name: string, power: string): DroverError =>
  new DroverError('WrongState', `${name} is ${power} on ${host}: it is not started a second time`, {
    details: { host },
    hint: `find out where it belongs: drover audit inventory, then drover instance repair ${name} --also ${host}`,
  });
