/** The disk activities of one host of the fake world. */
import type { Call, DiskActivities, Implement } from '../../../activities/types.js';
import { DroverError } from '../../../model/errors.js';
import type { FakeWorld } from './fake-world.js';

/** What `drover worker --host NAME` does, with its own fence. */
export function fakeDisks(world: FakeWorld, host: string): Implement<DiskActivities> {
  const at = (path: string) => ({ host: world.store(host, path), path });
  const find = (path: string) => world.disks.find((d) => d.path === path && d.host === at(path).host);
  const fence = ({ owner }: Call) => {
    if (!owner) return;
    const key = `${host}/${owner.instance}`;
    if (owner.epoch < (world.fences.get(key) ?? 0))
      throw new DroverError('StaleOwner', `${host} has seen a newer owner`);
    world.fences.set(key, owner.epoch);
  };
  const make = (path: string, instance: string) => {
    if (!find(path)) world.disks.push({ ...at(path), instance });
  };
  return {
    createDisk: async ({ instance, path }, call) => {
      fence(call);
      make(path, instance);
      return { disk: { target: 'vda', path, format: 'qcow2', readonly: false }, bytes: 1024 };
    },
    prepareDisk: async ({ instance, path }, call) => {
      fence(call);
      make(path, instance);
    },
    removeDisk: async ({ instance, path }, call) => {
      fence(call);
      const guest = world.host(host).guests.get(instance);
      const open = ['running', 'paused'].includes(guest?.power ?? '');
      if (open && guest?.disks.some((d) => d.path === path))
        throw new DroverError('DiskError', `${path} is open`);
      world.disks = world.disks.filter((d) => d !== find(path));
      return { undone: true };
    },
    diskFacts: async ({ path }) => ({
      path,
      format: 'qcow2',
      bytes: 1024,
      allocatedBytes: 512,
      backing: null,
    }),
    writeProbe: async ({ directory, nonce }) => {
      const file = `${directory}/${nonce}`;
      world.probes.push({ host: world.store(host, file), file });
    },
    readProbe: async ({ directory, nonce }) => {
      const file = `${directory}/${nonce}`;
      return { shared: world.probes.some((p) => p.file === file && p.host === world.store(host, file)) };
    },
    removeProbe: async ({ directory, nonce }) => {
      const file = `${directory}/${nonce}`;
      const left = world.probes.filter((p) => p.file !== file || p.host !== world.store(host, file));
      world.probes.splice(0, world.probes.length, ...left);
    },
    readSerialLog: async () => ({ text: 'booted\n', bytes: 7 }),
  };
}
