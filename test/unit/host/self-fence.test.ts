import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findSelfFence } from '../../../activities/host/self-fence.js';

const active = {
  'sys/class/watchdog/watchdog0/state': 'active\n',
  'sys/class/watchdog/watchdog0/timeout': '10\n',
};
const runs = (...names: string[]) =>
  Object.fromEntries(names.map((name, index) => [`proc/${100 + index}/comm`, `${name}\n`]));

function machine(files: Record<string, string>): Promise<unknown> {
  const root = mkdtempSync(join(tmpdir(), 'drover-root-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return findSelfFence(root);
}

test.each([
  ['a machine with nothing', {}],
  [
    'a watchdog that is fed whatever happens',
    { ...active, ...runs('watchdog'), 'etc/watchdog.conf': 'watchdog-device = /dev/watchdog\n' },
  ],
  ['one that nobody armed', { ...runs('watchdog'), 'etc/watchdog.conf': 'ping = 10.0.0.1\n' }],
  [
    'sbd that goes on while it sees its disk',
    { ...active, ...runs('sbd'), 'etc/default/sbd': 'SBD_DEVICE="/dev/sdb"\nSBD_WATCHDOG_TIMEOUT=5\n' },
  ],
  ['sbd without the cluster', { ...active, ...runs('sbd'), 'etc/default/sbd': 'SBD_PACEMAKER=no\n' }],
  [
    'sanlock that libvirt does not use',
    { ...active, ...runs('sanlock', 'wdmd'), 'etc/libvirt/qemu.conf': '#lock_manager = "sanlock"\n' },
  ],
])('%s: nothing that silence alone sets off', async (_, files) => {
  expect(await machine(files)).toBeNull();
});

test('a watchdog that pings: after its own tries and the hardware’s time', async () => {
  const conf = 'ping = 10.0.0.1\nping=10.0.0.2\nretry-timeout = 30\ninterval = 2\n';
  expect(await machine({ ...active, ...runs('watchdog'), 'etc/watchdog.conf': conf })).toEqual({
    kind: 'watchdog',
    seconds: 52,
    says: 'watchdog of 10 s, fed while 10.0.0.1 or 10.0.0.2 answers a ping, tried for 32 s',
  });
});

test('sbd without a disk: the longer of its time and the hardware’s, twice', async () => {
  const files = { ...active, ...runs('sbd'), 'etc/sysconfig/sbd': 'SBD_DEVICE=\nSBD_WATCHDOG_TIMEOUT="5"\n' };
  expect(await machine(files)).toMatchObject({ kind: 'watchdog', seconds: 20 });
});

test('sanlock as libvirt’s lock manager: a lease', async () => {
  const files = {
    ...active,
    ...runs('sanlock', 'wdmd'),
    'etc/libvirt/qemu.conf': 'lock_manager = "sanlock"\n',
  };
  expect(await machine(files)).toMatchObject({ kind: 'lease', seconds: 140 });
});
