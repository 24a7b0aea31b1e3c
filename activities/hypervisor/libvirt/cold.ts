/** What is done to definitions of guests that are off: copied to another host, and given another size. */
import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import type { GuestView } from '../port.js';
import type { Virsh } from './virsh.js';

type Look = (host: HostRef, id: string) => Promise<GuestView | null>;

const isOff = (view: GuestView): boolean => ['shutoff', 'crashed'].includes(view.power);

/**
 * libvirt would copy the definition of a running guest as well, and leave a second one that could be started; and it
 * leaves a saved memory image behind, which it would restore over a newer disk later on. Both are refused here.
 */
export async function copyDefinition(
  virsh: Virsh,
  look: Look,
  { source, target, id }: { source: HostRef; target: HostRef; id: string },
): Promise<void> {
  const [here, there] = await Promise.all([look(source, id), look(target, id)]);
  if (here === null) throw new DroverError('NotFound', `${source.name} has no guest ${id}`);
  refuseOn(here, source);
  if (there !== null) refuseOn(there, target);
  if (here.managedSave) {
    throw new DroverError(
      'HypervisorError',
      `${source.name}: ${here.name} has a saved memory image, which would stay behind`,
    );
  }
  const how = ['--offline', '--p2p', '--persistent'];
  await virsh.change(source, ['migrate', '--domain', id, '--desturi', target.uri, ...how]);
}

export async function resizeDefinition(
  virsh: Virsh,
  look: Look,
  host: HostRef,
  { id, vcpus, memoryMiB }: { id: string; vcpus: number; memoryMiB: number },
): Promise<void> {
  const fits = (view: GuestView): boolean => view.vcpus === vcpus && view.memoryMiB === memoryMiB;
  const before = await look(host, id);
  if (before === null) throw new DroverError('NotFound', `${host.name} has no guest ${id}`);
  if (fits(before)) return;
  refuseOn(before, host);
  const [of, kib] = [`--domain ${id} --config`, memoryMiB * 1024];
  // A number that is in use can't be above the most that there may be: which of the two comes first depends.
  const counts = [`setvcpus ${of} --maximum --count ${vcpus}`, `setvcpus ${of} --count ${vcpus}`];
  if (vcpus < before.vcpus) counts.reverse();
  const sizes = [`setmaxmem ${of} --size ${kib}`, `setmem ${of} --size ${kib}`];
  if (memoryMiB < before.memoryMiB) sizes.reverse();
  for (const command of [...counts, ...sizes]) await virsh.change(host, [command]);
  const after = await look(host, id);
  if (after !== null && fits(after)) return;
  throw new DroverError(
    'HypervisorError',
    `${host.name}: ${before.name} did not get ${vcpus} vCPUs and ${memoryMiB} MiB`,
    { details: { host: host.name } },
  );
}

function refuseOn(view: GuestView, host: HostRef): void {
  if (isOff(view)) return;
  throw new DroverError('HypervisorError', `${host.name}: ${view.name} is ${view.power}; it must be off`, {
    details: { host: host.name },
  });
}
