import { expect, test } from 'vitest';
import { createSimulatedFencing } from '../../../activities/simulator/bmc.js';
import { setBmc } from '../../../activities/simulator/bmc-states.js';
import { openDatacenter } from '../../../activities/simulator/datacenter.js';
import { restoreHost } from '../../../activities/simulator/host-power.js';
import { addHost, requireHost } from '../../../activities/simulator/hosts.js';
import { fencingContract, type FencingWorld } from '../../contract/fencing.js';
import { jumpClock } from './jump-clock.js';
import { openWorld } from './world.js';

fencingContract('simulator', async (): Promise<FencingWorld> => {
  const clock = jumpClock();
  const datacenter = openDatacenter({ path: ':memory:', name: 'dc', clock });
  const [one, two] = await datacenter.transact((tx) =>
    ['host1', 'host2'].map((name) => {
      addHost(tx, 'dc', { name, rack: 'rack-1', zone: 'zone-1', vcpus: 4, memoryMiB: 1024 });
      return { name, uri: `sim://dc/${name}`, systemUuid: requireHost(tx, name).system_uuid };
    }),
  );
  if (one === undefined || two === undefined) throw new Error('there are two');
  return {
    fencing: createSimulatedFencing(datacenter),
    hosts: [one, two],
    bmc: (fault) =>
      datacenter.transact((tx) => setBmc(tx, 'host1', fault, fault === 'swapped' ? 'host2' : null)),
    isOn: (host) => datacenter.transact((tx) => requireHost(tx, host).power !== 'off'),
    boot: (host) => datacenter.transact((tx) => restoreHost(tx, host)),
    close: async () => datacenter.close(),
  };
});

test('off really ends the guests of the host, on boots it without them, and restore takes the fault away', async () => {
  const world = await openWorld();
  const fencing = createSimulatedFencing(world.datacenter);
  const id = await world.guest('web');
  await world.fault({ do: 'bmc', hosts: ['host1'], state: 'dead' });
  expect(await fencing.off(world.host('host1'), 'host1/1 (bmc)')).toMatchObject({ why: 'unreachable' });
  await world.fault({ do: 'restore', hosts: ['host1'] });
  expect(await fencing.off(world.host('host1'), 'host1/1 (bmc)')).toMatchObject({ ok: true });
  expect(await world.copies(id)).toEqual(['host1: shutoff']);
  await expect(world.hypervisor.facts(world.host('host1'))).rejects.toThrow('No route to host');
  expect(await fencing.on(world.host('host1'), 'host1/1 (bmc)')).toMatchObject({ ok: true });
  await world.clock.pass(6_000);
  expect(await world.hypervisor.facts(world.host('host1'))).toMatchObject({ hostname: 'host1' });
  expect(await world.copies(id)).toEqual(['host1: shutoff']);
});

test('a swapped BMC names whose power it has', async () => {
  const world = await openWorld();
  await expect(world.fault({ do: 'bmc', hosts: ['host1'], state: 'swapped' })).rejects.toThrow('swapped');
  await expect(world.fault({ do: 'bmc', hosts: ['host1'], state: 'swapped', with: 'host9' })).rejects.toThrow(
    'no host "host9"',
  );
});

test('a host with a watchdog resets itself once it is cut off for that long, and not before', async () => {
  const world = await openWorld();
  const id = await world.guest('web');
  await world.fault({ do: 'self-fence', hosts: ['host1'], kind: 'watchdog', seconds: 60 });
  await world.fault({ do: 'partition', hosts: ['host1'] });
  await world.clock.pass(59_000);
  expect(await world.copies(id)).toEqual(['host1: running']);
  await world.fault({ do: 'restore', hosts: ['host1'] });
  await world.clock.pass(60_000);
  expect(await world.copies(id)).toEqual(['host1: running']);
  await world.fault({ do: 'partition', hosts: ['host1'] });
  await world.clock.pass(61_000);
  expect(await world.copies(id)).toEqual(['host1: shutoff']);
});
