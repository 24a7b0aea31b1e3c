/** What counts as a sign of life of a machine. */
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { addressOf, askNetwork } from '../../../activities/vantage/network.js';
import { reachFromHere } from '../../../activities/vantage/reach.js';
import { DroverError } from '../../../model/errors.js';

test.each([
  ['qemu+tcp://10.0.0.1/system', { address: '10.0.0.1', port: 16_509 }],
  ['qemu+tcp://10.0.0.1:99/system?mode=auto', { address: '10.0.0.1', port: 99 }],
  ['qemu+tls://host1.example/system', { address: 'host1.example', port: 16_514 }],
  ['qemu+ssh://root@[fd00::1]:2222/system', { address: 'fd00::1', port: 2222 }],
  ['qemu+ssh://root@host1/system', { address: 'host1', port: 22 }],
  ['qemu:///system', null],
  ['sim://sim/host-1', null],
])('%s', (uri, address) => expect(addressOf(uri)).toEqual(address));

const host = (uri: string) => ({ name: 'host1', uri });

test('a connection that is accepted is life, and so is one that is refused', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  expect(await askNetwork(host(`qemu+tcp://127.0.0.1:${port}/system`))).toMatchObject({
    signal: 'network',
    seen: 'answers',
  });
  await new Promise((resolve) => server.close(resolve));
  expect(await askNetwork(host(`qemu+tcp://127.0.0.1:${port}/system`))).toMatchObject({ seen: 'answers' });
});

// A silent one is asked in the lab: what is between here and elsewhere may answer in the name of others.
test('what names no address can not be asked', async () => {
  expect(await askNetwork(host('qemu:///system'))).toMatchObject({ seen: 'none' });
});

test.each([
  ['HypervisorUnreachable', 'failed to connect to the hypervisor', 'silent'],
  ['HypervisorError', 'authentication failed', 'answers'],
  ['HypervisorError', 'spawn virsh ENOENT', 'none'],
] as const)('a hypervisor: %s, %s', async (code, message, seen) => {
  const facts = () => Promise.reject(new DroverError(code, message));
  expect(await reachFromHere({ facts }).hypervisor(host('qemu+tcp://h/system'))).toMatchObject({ seen });
});
