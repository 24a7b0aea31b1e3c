import { openDatacenter } from '../../../activities/simulator/datacenter.js';
import { putFile } from '../../../activities/simulator/files.js';
import { addHost, localDirectory, sharedDirectory } from '../../../activities/simulator/hosts.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import { hypervisorContract, type ContractWorld } from '../../contract/hypervisor.js';
import { jumpClock } from './jump-clock.js';

const bytes = 16 * 1024 ** 2;

hypervisorContract('simulator', async (): Promise<ContractWorld> => {
  const datacenter = openDatacenter({ path: ':memory:', name: 'dc', clock: jumpClock() });
  const names = ['host1', 'host2'] as const;
  await datacenter.transact((tx) => {
    for (const name of names)
      addHost(tx, 'dc', { name, rack: 'rack-1', zone: 'zone-1', vcpus: 4, memoryMiB: 1024 });
  });
  const make = (host: string, path: string) =>
    datacenter.transact((tx) => {
      putFile(tx, host, { path, format: 'qcow2', bytes, allocated: 0, refers_to: null });
      return { target: 'vda', path, format: 'qcow2', readonly: false } as const;
    });
  return {
    hypervisor: createSimulatedHypervisor(datacenter),
    hosts: [
      { name: 'host1', uri: 'sim://dc/host1' },
      { name: 'host2', uri: 'sim://dc/host2' },
    ],
    nowhere: { name: 'nowhere', uri: 'sim://dc/nowhere' },
    sharedDisk: (name) => make('host1', `${sharedDirectory}/${name}.qcow2`),
    async localDisk(name, prepared) {
      const path = `${localDirectory}/${name}.qcow2`;
      if (prepared) await make('host2', path);
      return make('host1', path);
    },
    close: async () => datacenter.close(),
  };
});
