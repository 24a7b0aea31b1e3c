import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createLibvirt } from '../../../activities/hypervisor/libvirt/index.js';
import { createVirsh } from '../../../activities/hypervisor/libvirt/virsh.js';

const directory = mkdtempSync(join(tmpdir(), 'drover-virsh-'));
afterAll(() => rmSync(directory, { recursive: true }));

const host = { name: 'host1', uri: 'qemu+tcp://10.0.0.1/system' };
const id = '0a0a0a0a-0000-4000-8000-000000000001';
let made = 0;

/** A virsh of our own: the script gets the command line after the connection options as $*. */
function fakeVirsh(script: string): string {
  made += 1;
  const file = join(directory, `virsh${made}`);
  writeFileSync(file, `#!/bin/bash\nwhile [ "$1" != --connect ]; do shift; done; shift 2\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('a call', () => {
  it('ends at its limit, even when the client ignores signals and has children', async () => {
    const virsh = createVirsh({
      file: fakeVirsh("trap '' TERM INT; sleep 30 & wait; sleep 30"),
      readMs: 200,
    });
    const begun = Date.now();
    await expect(virsh.read(host, ['list'])).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
      message: expect.stringContaining('within 0.2 s'),
    });
    expect(Date.now() - begun).toBeLessThan(20_000);
  });

  it('says so when virsh is not installed', async () => {
    const virsh = createVirsh({ file: join(directory, 'no-such-program') });
    await expect(virsh.read(host, ['list'])).rejects.toMatchObject({
      code: 'HypervisorError',
      message: expect.stringContaining('ENOENT'),
    });
  });

  it('takes nothing but UUIDs for the id of a guest', async () => {
    const libvirt = createLibvirt({ file: fakeVirsh('echo called >&2; exit 1') });
    for (const bad of ['--all', 'web-1', `${id}; destroy x`, '']) {
      await expect(libvirt.look(host, bad)).rejects.toMatchObject({ code: 'InvalidInput' });
      await expect(libvirt.destroy(host, bad)).rejects.toMatchObject({ code: 'InvalidInput' });
      expect(() => libvirt.consoleCommand(host, bad)).toThrow(
        expect.objectContaining({ code: 'InvalidInput' }),
      );
    }
  });
});

describe('an empty answer', () => {
  it('is no proof of absence when the connection was lost on the way', async () => {
    const script =
      "echo 'error: Disconnected from qemu+tcp due to end of file' >&2; mark=$(grep -o 'drover-[0-9a-f-]*' <<<\"$*\" | head -1); for i in 1 2 3 4 5 6; do echo $mark; done; echo host1";
    await expect(createLibvirt({ file: fakeVirsh(script) }).look(host, id)).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
    });
  });

  it('is no proof of absence when the client was killed', async () => {
    await expect(createLibvirt({ file: fakeVirsh('kill -9 $$') }).look(host, id)).rejects.toMatchObject({
      code: 'HypervisorError',
    });
    await expect(createLibvirt({ file: fakeVirsh('exit 0') }).look(host, id)).rejects.toMatchObject({
      code: 'HypervisorError',
    });
  });
});
