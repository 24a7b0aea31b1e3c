/** Many at once: what is placed at the same time must obey the same rules as one after the other. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createGroup } from '../../../activities/inventory/groups.js';
import { listHosts } from '../../../activities/inventory/hosts.js';
import { listInstances } from '../../../activities/inventory/instances.js';
import { imageDirectory, sharedDirectory } from '../../../activities/simulator/hosts.js';
import { VirtualCloud } from '../../../virtual/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: 30, slots: 10, log: false });
  await createGroup(cloud.inventory, 'apart', 'anti-affinity');
  await createGroup(cloud.inventory, 'together', 'affinity');
});
afterEach(() => cloud.close());

const small = {
  vcpus: 1,
  memory_mib: 512,
  image: `${imageDirectory}/debian-12.qcow2`,
  directory: sharedDirectory,
};

const launch = (name: string, more: Record<string, unknown> = {}) => {
  const instance = cloud.random.uuid();
  return cloud.operation('instance.launch', { instance, name, ...small, ...more }).run.ended;
};

test('a hundred launches at once: groups apart and together, no host over its room, one refused that fits nowhere', async () => {
  const all = Array.from({ length: 100 }, (_, index) => {
    const group = index < 31 ? 'apart' : index < 51 ? 'together' : undefined;
    return launch(`vm-${index}`, group === undefined ? {} : { server_group: group });
  });
  const ends = await cloud.clock.drive(Promise.all(all));
  // 31 of which each wants a host of its own, and 30 hosts.
  expect(ends.filter(({ end }) => end !== 'done')).toHaveLength(1);
  const running = await listInstances(cloud.inventory, { state: 'active' });
  const hostsOf = (group: string | null): (string | null)[] =>
    running.filter(({ serverGroup }) => serverGroup === group).map(({ host }) => host);
  expect(new Set(hostsOf('apart')).size).toBe(30);
  expect(hostsOf('together')).toHaveLength(20);
  expect(new Set(hostsOf('together')).size).toBe(1);
  expect(hostsOf(null)).toHaveLength(49);
  for (const host of await listHosts(cloud.inventory)) {
    expect(host.vcpusUsed).toBe(host.instances);
    expect(host.memoryMiBUsed).toBe(host.instances * 512);
  }
});

test('a group whose members go apart moves all at once: never two on one host', async () => {
  await cloud.clock.drive(
    Promise.all(Array.from({ length: 20 }, (_, index) => launch(`vm-${index}`, { server_group: 'apart' }))),
  );
  const members = await listInstances(cloud.inventory, { state: 'active' });
  const ends = await cloud.clock.drive(
    Promise.all(
      members.map(
        ({ id }) => cloud.operation('instance.live-migrate', { instance: id, wait: '10m' }).run.ended,
      ),
    ),
  );
  // Ten hosts are free: a member that moves holds two, so not all find one at once.
  const moved = ends.filter(({ end }) => end === 'done').length;
  expect(moved).toBeGreaterThanOrEqual(10);
  const hosts = (await listInstances(cloud.inventory, { state: 'active' })).map(({ host }) => host);
  expect(hosts).toHaveLength(20);
  expect(new Set(hosts).size).toBe(20);
});
