import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callOf } from '../../call.js';
import { createDiskActivities } from '../../../activities/disk/activities.js';

const MiB = 1024 ** 2;
const other = '0a0a0a0a-0000-4000-8000-000000000002';

let root: string;
let images: string;
let disks: ReturnType<typeof createDiskActivities>;

const call = (epoch = 1) => callOf({ instance: other, operation: `op-${epoch}`, epoch });

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'drover-disk-')));
  images = join(root, 'images');
  mkdirSync(images);
  disks = createDiskActivities({ stateDir: join(root, 'state'), logDirectories: [join(root, 'log')] });
});
afterEach(() => rmSync(root, { recursive: true }));

describe('probing whether a directory is shared', () => {
  it('finds the nonce where it was written, and only there', async () => {
    const probe = { directory: images, nonce: other };
    await expect(disks.readProbe(probe, call())).resolves.toEqual({ shared: false });
    await disks.writeProbe(probe, call());
    await disks.writeProbe(probe, call());
    await expect(disks.readProbe(probe, call())).resolves.toEqual({ shared: true });
    await expect(disks.readProbe({ ...probe, directory: join(root, 'none') }, call())).resolves.toEqual({
      shared: false,
    });
    await disks.removeProbe(probe, call());
    await disks.removeProbe(probe, call());
    expect(readdirSync(images)).toEqual([]);
  });

  it('a write that comes after a newer owner has removed the file is refused: found by the soak', async () => {
    const probe = { directory: images, nonce: other };
    await disks.writeProbe(probe, call(1));
    await disks.removeProbe(probe, call(2));
    await expect(disks.writeProbe(probe, call(1))).rejects.toMatchObject({ code: 'StaleOwner' });
    expect(readdirSync(images)).toEqual([]);
  });

  it('takes nothing but UUIDs for a nonce', async () => {
    for (const work of [disks.writeProbe, disks.readProbe, disks.removeProbe]) {
      await expect(work({ directory: images, nonce: '../../x' }, call())).rejects.toMatchObject({
        code: 'InvalidInput',
      });
    }
  });
});

describe('the serial log', () => {
  it('gives its end, cut at a whole character, at most a MiB', async () => {
    const log = join(root, 'log/web-1.serial');
    mkdirSync(join(root, 'log'));
    writeFileSync(log, 'one\ntwo\nthrée');
    const read = (tailBytes: number) => disks.readSerialLog({ path: log, tailBytes }, call());
    await expect(read(1000)).resolves.toEqual({ text: 'one\ntwo\nthrée', bytes: 14 });
    await expect(read(3)).resolves.toEqual({ text: 'ée', bytes: 14 });
    await expect(read(2)).resolves.toEqual({ text: 'e', bytes: 14 });
    await expect(read(0)).resolves.toEqual({ text: '', bytes: 14 });
    writeFileSync(log, 'x'.repeat(3 * MiB));
    expect((await read(99 * MiB)).text).toHaveLength(MiB);
  });

  it('is read only where such logs are', async () => {
    await expect(disks.readSerialLog({ path: '/etc/shadow', tailBytes: 10 }, call())).rejects.toMatchObject({
      code: 'Unsupported',
    });
    await expect(
      disks.readSerialLog({ path: `${root}/log/../x`, tailBytes: 10 }, call()),
    ).rejects.toMatchObject({ code: 'InvalidInput' });
  });
});
