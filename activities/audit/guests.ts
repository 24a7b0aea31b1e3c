/** Findings on guests: how many there are of an instance, where, and in which state. */
import type { Finding, Repair } from '../../model/audit.js';
import { stateSeen, type Instance, type PowerState } from '../../model/instance.js';
import { answered, isLive, isOff, silentHosts, type Sighting, type World } from './world.js';

export interface Found {
  finding: Finding;
  repair: Repair | null;
}

export function* guestFindings(world: World): Generator<Found> {
  for (const instance of world.instances) {
    if (world.skipped.has(instance.id)) continue;
    yield* judge(world, instance, world.sightings.get(instance.id) ?? []);
  }
  for (const [id, there] of world.sightings) {
    if (!world.byId.has(id) && !world.skipped.has(id)) yield* unknown(world, id, there);
  }
}

function* judge(world: World, instance: Instance, there: readonly Sighting[]): Generator<Found> {
  const live = there.filter(({ guest }) => isLive(guest) && !(guest.half && guest.power === 'paused'));
  if (live.length > 1) {
    yield twoCopies(instance, live);
    return;
  }
  // Halves of a post-copy migration: whoever left them has told so in the record.
  if (there.some(({ guest }) => guest.half)) return;
  const home = there.find(({ host }) => host === instance.host);
  const truth = live[0] ?? home ?? there.find(({ guest }) => guest.persistent);
  if (truth === undefined) {
    if (instance.host !== null && answered(world, instance.host) && expectsGuest(instance))
      yield missing(world, instance, instance.host);
    return;
  }
  if (truth.host !== instance.host) {
    // A definition elsewhere says nothing while the host of the record is silent.
    if (live.length > 0 || instance.host === null || answered(world, instance.host))
      yield wrongHost(world, instance, truth);
  } else if (disagrees(instance, truth)) yield wrongState(instance, truth);
  for (const other of there) {
    if (other === truth || !isOff(other.guest) || other.host === instance.resized?.host) continue;
    if (truth.host === instance.host) yield definitionElsewhere(instance, other, truth);
  }
  if (truth.guest.autostart) yield autostart(instance, truth);
}

/** What the record says is so for a guest that is gone: nothing new is found in its absence. */
const expectsGuest = ({ state, powerState }: Instance): boolean =>
  !['building', 'shelved-offloaded'].includes(state) && !(state === 'error' && powerState === 'absent');

/** An instance in error tells why; only its power is compared then. Off is off, crashed or not. */
function disagrees({ state, powerState, saved }: Instance, { guest }: Sighting): boolean {
  const both = isOff(guest) && isOff({ power: powerState });
  if (powerState !== guest.power && !both) return true;
  if (state === 'suspended' && saved !== null && !guest.managedSave) return true;
  return state !== 'error' && stateSeen(state, guest.power as PowerState) !== state;
}

const about = (instance: Instance) => ({ instance: instance.id, name: instance.name, path: null });

function repairOf({ id, name }: Instance, more: Record<string, unknown> = {}): Repair {
  const operation = 'instance.repair';
  return { by: 'operation', operation, instance: id, name, input: { instance: id, ...more } };
}

function twoCopies(instance: Instance, live: readonly Sighting[]): Found {
  const where = live.map(({ host, guest }) => `${host} (${guest.power})`).join(' and ');
  const finding: Finding = {
    ...about(instance),
    kind: 'two-copies',
    host: instance.host,
    seen: `${instance.name} runs on ${where}; the record says ${instance.host ?? 'no host'}`,
    why: 'both write to the same disk, if it is shared, and destroy it; both answer for the same addresses',
    todo: `now: look which of them is right (drover instance console ${instance.name}), and end the other at its hypervisor: virsh destroy ${instance.id}`,
    repair: null,
  };
  return { finding, repair: null };
}

function missing(world: World, instance: Instance, host: string): Found {
  const silent = silentHosts(world);
  const elsewhere =
    silent.length === 0 ? 'nor has any other host' : `nor has any other that answers (not: ${some(silent)})`;
  const finding: Finding = {
    ...about(instance),
    kind: 'missing-guest',
    host,
    seen: `${host} answers and has no guest ${instance.name}, ${elsewhere}; the record says ${instance.state} there`,
    why: 'it serves nobody, and its room on the host is held',
    todo: `drover instance repair ${instance.name} writes down that it is gone; then terminate it, or restore it from its disk`,
    repair: 'record that no host has its guest: it becomes error, its disks stay',
  };
  return { finding, repair: repairOf(instance) };
}

function wrongHost(world: World, instance: Instance, truth: Sighting): Found {
  const { host, guest } = truth;
  const asked = instance.host === null || answered(world, instance.host);
  const finding: Finding = {
    ...about(instance),
    kind: 'wrong-host',
    host,
    seen: `${instance.name} is ${guest.power} on ${host}; the record says ${instance.host ?? 'no host'}${asked ? '' : ', which does not answer'}`,
    why: 'operations would act on the wrong host, and the room is counted there',
    todo: asked
      ? `drover instance repair ${instance.name} --also ${host}`
      : `bring ${instance.host} back and audit again: a second copy may run there`,
    repair: asked ? `record that it is on ${host}` : null,
  };
  return { finding, repair: asked ? repairOf(instance, { also: [host] }) : null };
}

function wrongState(instance: Instance, { host, guest }: Sighting): Found {
  const lost = instance.state === 'suspended' && isOff(guest);
  const memory = lost ? ' without a saved memory' : '';
  const finding: Finding = {
    ...about(instance),
    kind: 'wrong-state',
    host,
    seen: `${instance.name} is ${guest.power}${memory} on ${host}; the record says ${instance.state} (power ${instance.powerState})`,
    why: lost
      ? 'a resume would find nothing to go on from'
      : 'operations are refused or allowed by the wrong state',
    todo: `drover instance repair ${instance.name}`,
    repair: 'record what it is',
  };
  return { finding, repair: repairOf(instance) };
}

function definitionElsewhere(instance: Instance, other: Sighting, truth: Sighting): Found {
  const { host } = other;
  const finding: Finding = {
    ...about(instance),
    kind: 'definition-elsewhere',
    host,
    seen: `${host} keeps a definition of ${instance.name}, which is on ${truth.host}`,
    why: 'whoever starts it there makes a second copy of a running guest',
    todo: `drover instance repair ${instance.name} --also ${host} --remove definition`,
    repair: `remove the definition from ${host}, if it is off still`,
  };
  return { finding, repair: repairOf(instance, { also: [host], remove: ['definition'] }) };
}

function autostart(instance: Instance, { host }: Sighting): Found {
  const finding: Finding = {
    ...about(instance),
    kind: 'autostart',
    host,
    seen: `${host} starts ${instance.name} by itself at its next boot`,
    why: 'a host that comes back would start it, although it runs elsewhere by then or was stopped',
    todo: `drover instance repair ${instance.name} --remove autostart`,
    repair: 'turn the autostart off; the guest goes on',
  };
  return { finding, repair: repairOf(instance, { remove: ['autostart'] }) };
}

function* unknown(world: World, id: string, there: readonly Sighting[]): Generator<Found> {
  const was = world.deleted.get(id);
  for (const { host, guest } of there) {
    const { name, power } = guest;
    const finding: Finding = {
      kind: 'unknown-guest',
      instance: id,
      name,
      host,
      path: null,
      seen: was
        ? `${host} has guest ${name} (${power}), whose instance ${was.name} is deleted`
        : `${host} has guest ${name} (${power}, ${id}), which the inventory does not know`,
      why: 'it takes room that nobody counts, and no operation and no drain reaches it',
      todo: was
        ? `remove it at its hypervisor when it is of no use: virsh undefine ${id}`
        : `drover instance adopt ${host} ${name}, or audit with --adopt`,
      repair: null,
    };
    const settled = guest.power !== 'migrating' && guest.power !== 'unknown' && there.length === 1;
    yield { finding, repair: was || !settled ? null : { by: 'adopt', instance: id, name, host } };
  }
}

/** The first few, and how many more. */
export const some = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
