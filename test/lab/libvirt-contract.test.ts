import { createLibvirt } from '../../activities/hypervisor/libvirt/index.js';
import { openLab } from '../../lab/lab.js';
import { hypervisorContract, type ContractWorld } from '../contract/hypervisor.js';

hypervisorContract('libvirt', async (): Promise<ContractWorld> => {
  const lab = openLab();
  const wasUp = (await lab.status()).some((host) => host.up);
  await lab.up(2);
  const files: [string, string][] = [];

  async function make(host: string, path: string) {
    await lab.exec(host, ['rm', '-f', path]);
    await lab.exec(host, ['qemu-img', 'create', '-q', '-f', 'qcow2', path, '16M']);
    files.push([host, path]);
    return { target: 'vda', path, format: 'qcow2', readonly: false } as const;
  }

  const [one, two] = await Promise.all(
    ['host1', 'host2'].map(async (name) => ({ name, uri: await lab.uri(name) })),
  );
  if (one === undefined || two === undefined) throw new Error('the lab needs two hosts');
  return {
    hypervisor: createLibvirt(),
    hosts: [one, two],
    nowhere: { name: 'nowhere', uri: one.uri.replace(/\.11\//, '.99/') },
    sharedDisk: (name) => make('host1', `${lab.sharedDir}/${name}.qcow2`),
    async localDisk(name, prepared) {
      const path = `${lab.imagesDir}/${name}.qcow2`;
      if (prepared) await make('host2', path);
      return make('host1', path);
    },
    async close() {
      for (const [host, path] of files) await lab.exec(host, ['rm', '-f', path]);
      if (!wasUp) await lab.down();
    },
  };
});
