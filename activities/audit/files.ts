/** Findings on files that the workers of hosts see: disks of nobody, and saved memories that must not be restored. */
import type { Finding, SeenFile, SeenGuest } from '../../model/audit.js';
import type { Instance } from '../../model/instance.js';
import type { Found } from './guests.js';
import { fileAt, isLive, isOff, type World } from './world.js';

export function* fileFindings(world: World): Generator<Found> {
  const users = usersOf(world);
  const told = new Set<string>();
  for (const [host, seen] of world.hosts) {
    if (seen.state !== 'answered') continue;
    for (const guest of seen.guests) yield* managedSave(world, host, guest);
    if (seen.files === null) continue;
    for (const save of seen.files.saves) yield* saveFile(world, host, seen.guests, save);
    for (const file of seen.files.found) {
      const key = `${file.path}\n${file.inode}`;
      if (told.has(key) || !isOrphan(world, users, host, file)) continue;
      told.add(key);
      yield orphan(world, host, file);
    }
  }
}

/** Who refers to a path, on which host: rows, what a resize keeps, and guests, whoever made them. */
function usersOf(world: World): Map<string, Set<string>> {
  const users = new Map<string, Set<string>>();
  const use = (path: string, host: string | null): void => {
    const hosts = users.get(path) ?? new Set();
    users.set(path, hosts.add(host ?? ''));
  };
  for (const { host, disks, resized } of world.instances) {
    for (const { path } of disks) use(path, host);
    if (resized === null) continue;
    for (const { path } of resized.disks) use(path, resized.host);
    for (const path of resized.copied) use(path, resized.host);
  }
  for (const [host, seen] of world.hosts) {
    if (seen.state !== 'answered') continue;
    for (const guest of seen.guests) for (const path of guest.disks) use(path, host);
  }
  return users;
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
/** Whose disk it is: by the note of the worker that made it, or by its name. */
const ownerOf = ({ path, made }: SeenFile): string | undefined =>
  made ?? uuid.exec(path.slice(path.lastIndexOf('/')))?.[0];

function isOrphan(world: World, users: Map<string, Set<string>>, host: string, file: SeenFile): boolean {
  const id = ownerOf(file);
  if (id === undefined || world.skipped.has(id) || world.deleted.get(id)?.keepsDisks) return false;
  const instance = world.byId.get(id);
  const hosts = users.get(file.path);
  if (hosts === undefined) {
    // What belongs to a living instance may be the base of its disk, which only its image names.
    return instance === undefined && !world.sightings.has(id);
  }
  if (hosts.has(host)) return false;
  // The same path on another host: the same file where storage is shared, and a copy that is left where it is not.
  return [...hosts].every((other) => {
    const there = fileAt(world, other, file.path);
    return there !== null && there !== undefined && there.inode !== file.inode;
  });
}

function orphan(world: World, host: string, file: SeenFile): Found {
  const id = ownerOf(file) ?? '';
  const instance = world.byId.get(id);
  const was = world.deleted.get(id);
  const whose = instance
    ? `${instance.name} runs from another file of that name on ${instance.host}`
    : was
      ? `its instance ${was.name} is deleted`
      : `the inventory does not know instance ${id}`;
  const removable = was !== undefined;
  const finding: Finding = {
    kind: 'orphan-disk',
    instance: id,
    name: instance?.name ?? was?.name ?? null,
    host,
    path: file.path,
    seen: `${file.path} on ${host} (${file.bytes} bytes) is referred to by nobody: ${whose}`,
    why: 'it takes room on the storage',
    todo: removable
      ? 'drover audit inventory --remove-orphan-disks --yes'
      : `look whose it is, and remove it on ${host} by hand when it is of no use`,
    repair: null,
  };
  const repair = removable ? ({ by: 'remove-disk', instance: id, path: file.path, host } as const) : null;
  return { finding, repair };
}

/** The hypervisor knows that memory, and its next start goes on from it. */
function* managedSave(world: World, host: string, guest: SeenGuest): Generator<Found> {
  const instance = world.byId.get(guest.id);
  if (!guest.managedSave || !instance || world.skipped.has(guest.id) || !isOff(guest)) return;
  if (instance.host !== host || !['stopped', 'error'].includes(instance.state)) return;
  yield {
    finding: {
      ...saved(host, instance.id, instance.name, null),
      seen: `${host} keeps a saved memory of ${instance.name}, which is ${instance.state} and was not suspended by drover`,
      why: 'its next start goes on from that memory; if its disk was changed since, that destroys the file system',
      todo: `on ${host}: virsh start ${instance.id} goes on from it; a start by drover throws it away and boots`,
    },
    repair: null,
  };
}

/** A file that the hypervisor does not know, and takes up once a guest of that name is defined here (again). */
function* saveFile(
  world: World,
  host: string,
  guests: readonly SeenGuest[],
  { guest: name, path }: { guest: string; path: string },
): Generator<Found> {
  const here = guests.find((guest) => guest.name === name);
  if (here && (here.managedSave || world.skipped.has(here.id))) return;
  const named = world.instances.filter((one) => one.name === name);
  const instance = here ? world.byId.get(here.id) : named.length === 1 ? named[0] : undefined;
  if (instance && (world.skipped.has(instance.id) || instance.saved?.host === host)) return;
  const finding = {
    ...saved(host, instance?.id ?? here?.id ?? null, name, path),
    seen: `${path} on ${host} holds the memory of a guest ${name}${instance ? `, which is on ${instance.host ?? 'no host'} (${instance.state})` : ', which no instance is called'}`,
    why: 'when a guest of that name is started on this host, libvirt may go on from that old memory over the newer disk',
  };
  const newer = instance !== undefined && runsSince(world, instance, host);
  yield newer
    ? {
        finding: {
          ...finding,
          todo: `drover instance repair ${name} --also ${host} --remove saved-memory`,
          repair: 'remove that file: the guest has run on since, so that its memory is of no use',
        },
        repair: {
          by: 'operation',
          operation: 'instance.repair',
          instance: instance.id,
          name,
          input: { instance: instance.id, also: [host], remove: ['saved-memory'] },
        },
      }
    : { finding: { ...finding, todo: `look whose it is, and remove it on ${host} by hand` }, repair: null };
}

const saved = (host: string, instance: string | null, name: string, path: string | null): Finding => ({
  kind: 'stale-save-file',
  instance,
  name,
  host,
  path,
  seen: '',
  why: '',
  todo: '',
  repair: null,
});

/** Its guest runs now, and not from that memory: on another host, or here without the hypervisor knowing of the file. */
const runsSince = (world: World, { id, state }: Instance, host: string): boolean => {
  const there = world.sightings.get(id) ?? [];
  if (state === 'suspended') return false;
  return there.some(({ guest, host: at }) => isLive(guest) && (at !== host || !guest.managedSave));
};
