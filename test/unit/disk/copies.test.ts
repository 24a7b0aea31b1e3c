/** Disks copied from host to host and grown, with the real qemu-nbd and qemu-img on the loopback. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDiskActivities } from '../../../activities/disk/activities.js';
import { addressOf } from '../../../activities/disk/export.js';
import type { Call } from '../../../activities/types.js';

const MiB = 1024 ** 2;
const instance = '0a0a0a0a-0000-4000-8000-000000000001';
const name = '0b0b0b0b-0000-4000-8000-000000000001';
const uri = 'qemu+tcp://127.0.0.1/system';

let root: string;
let here: string;
let there: string;
let source: ReturnType<typeof createDiskActivities>;
let target: ReturnType<typeof createDiskActivities>;
let beats: Record<string, unknown>[];

const call = (operation = 'op-1', epoch = 1): Call => ({
  owner: { instance, operation, epoch },
  host: null,
  signal: new AbortController().signal,
  cancelRequested: () => false,
  heartbeat: (details) => void beats.push(details),
});

beforeEach(async () => {
  beats = [];
  root = realpathSync(mkdtempSync(join(tmpdir(), 'drover-copies-')));
  for (const side of ['source', 'target']) mkdirSync(join(root, side));
  here = join(root, 'source', 'web-1.qcow2');
  there = join(root, 'target', 'web-1.qcow2');
  source = createDiskActivities({ stateDir: join(root, 'source-state') });
  target = createDiskActivities({ stateDir: join(root, 'target-state') });
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', here, '64M']);
  await execa('qemu-io', ['-f', 'qcow2', '-c', 'write -P 0xab 1M 2M', here]);
});
afterEach(async () => {
  await source.unexportDisk({ instance, export: name }, call('end', 99));
  rmSync(root, { recursive: true });
});

const offer = (changes = {}, by = call()) =>
  source.exportDisk(
    { instance, path: here, format: 'qcow2', export: name, uri, seconds: 60, ...changes },
    by,
  );
async function fetch(changes = {}, by = call()) {
  const { bytes, ...at } = await offer({}, by);
  const from = { host: 'host1', ...at };
  const what = {
    instance,
    path: there,
    format: 'qcow2' as const,
    bytes,
    export: name,
    from,
    replaces: false,
  };
  return target.importDisk({ ...what, ...changes }, by);
}
const holds = async (path: string, pattern: string) =>
  (await execa('qemu-io', ['-f', 'qcow2', '-c', `read -P ${pattern} 1M 2M`, path], { reject: false })).stdout;
const served = async () =>
  (await execa('pgrep', ['-f', `qemu-nbd.*${name}`], { reject: false })).stdout !== '';
/** A process that has the file open, as an emulator has its disk. */
function opens(path: string) {
  const file = openSync(path, 'r');
  const child = spawn('sleep', ['60'], { stdio: [file, 'ignore', 'ignore'] });
  closeSync(file);
  const ended = once(child, 'exit');
  return {
    async end() {
      child.kill();
      await ended;
    },
  };
}
const files = () => readdirSync(join(root, 'target'));

describe('copying a disk to another host', () => {
  it('brings what the guest wrote, sparse, in its format, and tells how far it is', async () => {
    const { bytes } = await fetch();
    expect(await holds(there, '0xab')).not.toContain('Pattern verification failed');
    expect(await target.diskFacts({ path: there }, call())).toMatchObject({
      format: 'qcow2',
      bytes: 64 * MiB,
    });
    expect(bytes).toBeLessThan(8 * MiB);
    expect(beats.at(-1)).toMatchObject({ phase: 'copying', percent: 100, from: 'host1' });
    expect(files()).toEqual(['web-1.qcow2']);
    await source.unexportDisk({ instance, export: name }, call());
    expect(await served()).toBe(false);
    expect(readdirSync(join(root, 'source-state', 'exports'))).toEqual([]);
  });

  it('a repeated attempt finds the export, and the copy, and goes on', async () => {
    const first = await offer();
    expect(await offer()).toEqual(first);
    await fetch();
    const again = await fetch();
    expect(again.bytes).toBeLessThan(8 * MiB);
  });

  it('an export that nobody ended ends by itself, or by the next one of the disk', async () => {
    // Long enough to be seen on a busy machine.
    await offer({ seconds: 4 });
    expect(await served()).toBe(true);
    for (let wait = 0; wait < 300 && (await served()); wait += 1) await delay(100);
    expect(await served()).toBe(false);
    await offer();
    const other = '0b0b0b0b-0000-4000-8000-000000000002';
    await offer({ export: other }, call('op-2', 2));
    expect(await served()).toBe(false);
    await source.unexportDisk({ instance, export: other }, call('op-2', 2));
  });

  it('a file that is there is refused before anything is stopped, and is not touched', async () => {
    writeFileSync(there, 'mine');
    const what = { instance, path: there, replaces: false };
    await expect(target.checkImport(what, call())).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(fetch()).rejects.toMatchObject({ code: 'AlreadyExists' });
    expect(readFileSync(there, 'utf8')).toBe('mine');
    await target.checkImport({ ...what, path: join(root, 'target', 'other.qcow2') }, call());
  });

  it('replaces an old copy at once, and only one that nobody has open', async () => {
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', there, '64M']);
    const guest = opens(there);
    await expect(fetch({ replaces: true })).rejects.toMatchObject({ code: 'DiskError' });
    await guest.end();
    await fetch({ replaces: true });
    expect(await holds(there, '0xab')).not.toContain('Pattern verification failed');
    // Since an attempt that was taken back the guest may have written: it is copied again, whatever is there.
    await source.unexportDisk({ instance, export: name }, call());
    await execa('qemu-io', ['-f', 'qcow2', '-c', 'write -P 0xcd 1M 2M', here]);
    await fetch({ replaces: true });
    expect(await holds(there, '0xcd')).not.toContain('Pattern verification failed');
  });

  it('a source that goes leaves nothing, and the undo takes away what a killed worker left', async () => {
    const { port } = await offer();
    await source.unexportDisk({ instance, export: name }, call());
    const from = { host: 'host1', address: '127.0.0.1', port };
    const what = { instance, path: there, format: 'qcow2' as const, bytes: 64 * MiB, export: name };
    await expect(target.importDisk({ ...what, from, replaces: false }, call())).rejects.toMatchObject({
      code: 'DiskError',
    });
    writeFileSync(join(root, 'target', `.web-1.qcow2.drover-${instance}`), 'half');
    await target.dropImport({ instance, path: there }, call());
    expect(files()).toEqual([]);
  });

  it('a disk that is in use is not offered, and an owner of before is refused', async () => {
    const guest = opens(here);
    await expect(offer()).rejects.toMatchObject({ code: 'DiskError' });
    await guest.end();
    await offer({}, call('op-2', 2));
    await expect(offer()).rejects.toMatchObject({ code: 'StaleOwner' });
    await expect(fetch({}, call())).rejects.toMatchObject({ code: 'StaleOwner' });
  });

  it('is offered where other hosts reach this one', () => {
    expect(addressOf('qemu+tcp://10.1.2.3/system')).toBe('10.1.2.3');
    expect(addressOf('qemu+ssh://root@host1.lan:22/system')).toBe('host1.lan');
    expect(addressOf('qemu+tls://[fd00::1]:16514/system')).toBe('fd00::1');
    expect(addressOf('qemu:///system')).not.toBe('');
  });
});

describe('growing a disk', () => {
  it('makes it larger, once, and never smaller', async () => {
    const grow = (bytes: number) => source.growDisk({ instance, path: here, format: 'qcow2', bytes }, call());
    expect(await grow(128 * MiB)).toEqual({ grew: true });
    expect(await grow(128 * MiB)).toEqual({ grew: false });
    expect(await grow(64 * MiB)).toEqual({ grew: false });
    expect((await source.diskFacts({ path: here }, call())).bytes).toBe(128 * MiB);
    await expect(
      source.growDisk({ instance, path: there, format: 'qcow2', bytes: 1 }, call()),
    ).rejects.toMatchObject({
      code: 'NotFound',
    });
  });
});
