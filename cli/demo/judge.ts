/** The verdict: what the simulated hypervisors themselves know, beside what drover's inventory says. */
import { listHosts } from '../../activities/inventory/hosts.js';
import { listInstances } from '../../activities/inventory/instances.js';
import { guestsOn, isOn, type GuestRow } from '../../activities/simulator/guests.js';
import { allHosts } from '../../activities/simulator/hosts.js';
import type { Stage } from './stage.js';

/** Every guest of every host, at one moment. */
export const guestsOf = ({ datacenter }: Stage): Promise<GuestRow[]> =>
  datacenter.transact((tx) => allHosts(tx).flatMap(({ name }) => guestsOn(tx, name)));

/** What is wrong, a sentence each; `before` are the guests that there were at the beginning. */
export async function faultsFound(stage: Stage, before: readonly GuestRow[]): Promise<string[]> {
  const { inventory } = stage.caller;
  const now = await guestsOf(stage);
  const instances = new Map((await listInstances(inventory)).map((one) => [one.id, one]));
  const ofGuests = before.flatMap(({ id, name }) => {
    const copies = now.filter((guest) => guest.id === id);
    const [only, ...more] = copies;
    if (only === undefined) return [`${name} is on no host`];
    if (more.length > 0) return [`${name} is on ${copies.map(({ host }) => host).join(' and ')}`];
    const recorded = instances.get(id);
    const right = recorded?.host === only.host && (recorded.state === 'active') === isOn(only);
    const said = `${recorded?.state ?? 'nowhere'} on ${recorded?.host ?? 'no host'}`;
    return right ? [] : [`${name} is ${only.power} on ${only.host}, and drover says ${said}`];
  });
  const ofHosts = (await listHosts(inventory)).flatMap((host) => {
    const guests = now.filter((guest) => guest.host === host.name);
    const vcpus = sum(guests.map((guest) => guest.vcpus));
    const memory = sum(guests.map((guest) => guest.memory_mib));
    const same = host.vcpusUsed === vcpus && host.memoryMiBUsed === memory && host.slotsUsed === 0;
    const allocated = `${host.vcpusUsed} vCPUs, ${host.memoryMiBUsed} MiB, ${host.slotsUsed} slots`;
    return same
      ? []
      : [`${host.name} has ${vcpus} vCPUs and ${memory} MiB in use, and drover says ${allocated}`];
  });
  const others = now.filter((guest) => !before.some(({ id }) => id === guest.id));
  return [...ofGuests, ...ofHosts, ...others.map(({ name, host }) => `${name} on ${host} came from nowhere`)];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);
