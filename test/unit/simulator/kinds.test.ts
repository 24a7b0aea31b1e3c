import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeInventory, openInventory } from '../../../activities/inventory/database.js';
import { addHost } from '../../../activities/inventory/hosts.js';
import { populate } from '../../../activities/simulator/populate.js';
import { openPorts } from '../../../worker/ports.js';

const settings = { slots: 2, cpuOvercommit: 4, memoryMiBReserved: 512, labels: {} };

test.each([
  ['qemu+tcp://10.0.0.1/system', 'sim://sim/host-1', 'a host of the simulated datacenter sim'],
  ['sim://sim/host-1', 'qemu+tcp://10.0.0.1/system', 'a real host'],
  ['sim://sim/host-1', 'sim://other/host-1', 'a host of the simulated datacenter other'],
])('an inventory with %s refuses %s', async (first, second, says) => {
  const inventory = await openInventory({ path: ':memory:' });
  await addHost(inventory, { name: 'one', uri: first, ...settings });
  await expect(addHost(inventory, { name: 'two', uri: second, ...settings })).rejects.toMatchObject({
    code: 'WrongState',
    message: expect.stringContaining(says),
  });
  await closeInventory(inventory);
});

test('each call goes to the driver to which the address leads, and to the datacenter of its name', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'drover-ports-'));
  const ports = openPorts({ dataDir });
  const { hypervisor } = ports;
  const host = { name: 'host-1', uri: 'sim://sim/host-1' };
  // Before there is any: it may be made while a worker runs.
  await expect(hypervisor.facts(host)).rejects.toMatchObject({ code: 'HypervisorUnreachable' });
  const population = { hosts: 1, instances: 1, racks: 1 };
  await ports.datacenters.make('sim').transact((tx) => populate(tx, 'sim', population));
  await expect(hypervisor.facts(host)).resolves.toMatchObject({ hypervisor: 'simulated' });
  const [guest] = await hypervisor.list(host);
  const target = { name: 'real', uri: 'qemu+tcp://127.0.0.1:1/system' };
  const move = { id: guest?.id ?? '', name: 'web-1', source: host, target, copy: [], bandwidthMiBs: null };
  await expect(hypervisor.startMigration(move)).rejects.toMatchObject({ code: 'Unsupported' });
  expect([...hypervisor.capabilities]).toEqual([
    'launch',
    'pause',
    'suspend',
    'liveMigration',
    'coldMigration',
    'blockMigration',
  ]);
  ports.close();
  rmSync(dataDir, { recursive: true });
});
