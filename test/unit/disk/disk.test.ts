import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callOf } from '../../call.js';
import { createDiskActivities } from '../../../activities/disk/activities.js';
import type { Call } from '../../../activities/types.js';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const instance = '0a0a0a0a-0000-4000-8000-000000000001';
const other = '0a0a0a0a-0000-4000-8000-000000000002';

let root: string;
let images: string;
let path: string;
let image: string;
let disks: ReturnType<typeof createDiskActivities>;

const call = (operation = 'op-1', epoch = 1, of = instance) => callOf({ instance: of, operation, epoch });
const nobody = (): Call => ({ ...call(), owner: null });

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'drover-disk-')));
  images = join(root, 'images');
  mkdirSync(images);
  path = join(images, 'web-1.qcow2');
  image = join(root, 'base.qcow2');
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', image, '8M']);
  disks = createDiskActivities({ stateDir: join(root, 'state'), logDirectories: [join(root, 'log')] });
});
afterEach(() => rmSync(root, { recursive: true }));

const create = (changes = {}, by = call()) =>
  disks.createDisk({ instance, image, path, diskGiB: 0, ...changes }, by);
const prepare = (changes = {}, by = call()) =>
  disks.prepareDisk({ instance, path, format: 'qcow2', bytes: 8 * MiB, ...changes }, by);
const remove = (changes = {}, by = call()) => disks.removeDisk({ instance, path, ...changes }, by);
const facts = () => disks.diskFacts({ path }, call());

describe('creating a disk', () => {
  it('copies the image whole, and leaves nothing else behind', async () => {
    const made = { disk: { target: 'vda', path, format: 'qcow2', readonly: false }, bytes: 8 * MiB };
    await expect(create()).resolves.toEqual(made);
    await expect(facts()).resolves.toMatchObject({ format: 'qcow2', bytes: 8 * MiB, backing: null });
    expect(readdirSync(images)).toEqual(['web-1.qcow2']);
  });

  it('takes a raw image, and enlarges', async () => {
    image = join(root, 'base.raw');
    writeFileSync(image, 'boot');
    truncateSync(image, 4 * MiB);
    await expect(create({ diskGiB: 1 })).resolves.toMatchObject({ bytes: GiB });
    await expect(facts()).resolves.toMatchObject({ format: 'qcow2', bytes: GiB });
  });

  it('answers the same when it is repeated, with the disk untouched', async () => {
    await create({ diskGiB: 1 });
    rmSync(image);
    await expect(create({ diskGiB: 1 }, call('op-1', 2))).resolves.toMatchObject({ bytes: GiB });
  });

  it('never makes a disk smaller than its image', async () => {
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', image, '2G']);
    await expect(create({ diskGiB: 1 })).rejects.toMatchObject({ code: 'InvalidInput' });
    expect(readdirSync(images)).toEqual([]);
  });

  it('leaves a file alone that was there before', async () => {
    writeFileSync(path, 'precious');
    await expect(create()).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(prepare()).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(remove({ onlyIfMade: true })).resolves.toEqual({ undone: true });
    expect(existsSync(path)).toBe(true);
  });

  it('begins again over what a killed attempt left', async () => {
    writeFileSync(join(images, `.web-1.qcow2.drover-${instance}`), 'half');
    await create();
    expect(readdirSync(images)).toEqual(['web-1.qcow2']);
  });

  it('stops when it is cancelled, without a half disk', async () => {
    const stopped = AbortSignal.abort();
    await expect(
      create({}, { ...call(), signal: stopped, cancelRequested: () => true }),
    ).rejects.toMatchObject({ code: 'Cancelled' });
    await expect(create({}, { ...call(), signal: stopped })).rejects.toMatchObject({
      code: 'Internal',
      retryable: true,
    });
    expect(readdirSync(images)).toEqual([]);
  });
});

describe('an image that is not to be trusted', () => {
  it('is refused with a backing file', async () => {
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', image]);
    await expect(create()).rejects.toMatchObject({
      code: 'DiskError',
      message: expect.stringContaining('backing file'),
    });
  });

  it('is refused with a data file', async () => {
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', `data_file=${root}/data.raw`, image, '8M']);
    await expect(create()).rejects.toMatchObject({
      code: 'DiskError',
      message: expect.stringContaining('data file'),
    });
  });

  it.each(['vmdk', 'vdi', 'vhdx', 'qed', 'vpc', 'parallels'])('is refused as %s', async (format) => {
    await execa('qemu-img', ['create', '-q', '-f', format, image, '8M']);
    await expect(create()).rejects.toMatchObject({
      code: 'DiskError',
      message: expect.stringContaining('image; drover takes'),
    });
  });

  it('is refused as a VMDK descriptor that names another file', async () => {
    writeFileSync(image, '# Disk DescriptorFile\nversion=1\nRW 1 FLAT "/etc/shadow" 0\n');
    await expect(create()).rejects.toMatchObject({
      code: 'DiskError',
      message: expect.stringContaining('VMDK'),
    });
  });
});

describe('preparing a disk for a block migration', () => {
  it('makes exactly that size, once', async () => {
    await prepare({ bytes: 8 * MiB + 512 });
    await prepare({ bytes: 8 * MiB + 512 });
    await expect(facts()).resolves.toMatchObject({ bytes: 8 * MiB + 512 });
    await expect(prepare()).rejects.toMatchObject({ code: 'DiskError' });
  });

  it('makes a raw one, whose format whoever knows it says', async () => {
    await prepare({ format: 'raw' });
    await expect(facts()).resolves.toMatchObject({ format: 'raw', bytes: 8 * MiB });
    // The guest wrote the header of a qcow2 file that names another file into its own raw disk.
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', image]);
    await execa('dd', [`if=${image}`, `of=${path}`, 'conv=notrunc', 'status=none']);
    await expect(disks.diskFacts({ path, format: 'raw' }, call())).resolves.toMatchObject({
      format: 'raw',
      bytes: 8 * MiB,
      backing: null,
    });
  });
});

describe('removing a disk', () => {
  it('is done when there is none, and does what is asked once', async () => {
    await expect(remove()).resolves.toEqual({ undone: true });
    await create();
    await expect(remove({ onlyIfMade: true })).resolves.toEqual({ undone: true });
    await expect(remove()).resolves.toEqual({ undone: true });
    expect(readdirSync(images)).toEqual([]);
  });

  it('removes a disk that drover did not make only when it is no undo', async () => {
    writeFileSync(path, 'of an adopted guest');
    await remove({ onlyIfMade: true });
    expect(existsSync(path)).toBe(true);
    await remove();
    expect(existsSync(path)).toBe(false);
  });

  it('leaves the disk of another instance', async () => {
    await create();
    await expect(remove({ instance: other }, call('op-9', 1, other))).rejects.toMatchObject({
      code: 'DiskError',
    });
    expect(existsSync(path)).toBe(true);
  });

  it('refuses while a process has it open, by whatever name', async () => {
    await create();
    const file = openSync(path, 'r');
    await expect(remove()).rejects.toMatchObject({
      code: 'DiskError',
      message: expect.stringContaining(`${process.pid} (`),
    });
    closeSync(file);
    await remove();
  });
});

describe('the fence', () => {
  it('refuses a call without an owner, for another instance, or of a replaced operation', async () => {
    await expect(create({}, nobody())).rejects.toMatchObject({ code: 'StaleOwner' });
    await expect(remove({}, nobody())).rejects.toMatchObject({ code: 'StaleOwner' });
    await expect(create({}, call('op-1', 1, other))).rejects.toMatchObject({ code: 'InvalidInput' });
    await create({}, call('op-2', 7));
    await expect(remove({}, call('op-1', 6))).rejects.toMatchObject({
      code: 'StaleOwner',
      message: expect.stringContaining('op-2'),
    });
    await expect(remove({}, call('op-3', 7))).rejects.toMatchObject({ code: 'StaleOwner' });
    await remove({}, call('op-3', 8));
  });

  it('survives the worker, and is raised by several at once to the highest', async () => {
    const raised = await Promise.allSettled(
      [3, 9, 5, 8, 1].map((epoch) => remove({}, call(`op-${epoch}`, epoch))),
    );
    expect(raised[1]?.status).toBe('fulfilled');
    disks = createDiskActivities({ stateDir: join(root, 'state') });
    await expect(remove({}, call('op-8', 8))).rejects.toMatchObject({ code: 'StaleOwner' });
    await remove({}, call('op-9', 9));
  });

  it('stops a step that was replaced while it worked', async () => {
    const refused = expect(create()).rejects.toMatchObject({ code: 'StaleOwner' });
    while (readdirSync(images).length === 0) await delay(1);
    await remove({ path: join(images, 'another.qcow2') }, call('op-2', 2));
    await refused;
    expect(readdirSync(images)).toEqual([]);
  });
});

describe('paths', () => {
  it.each(['web-1.qcow2', '/a/../b', '/a//b', '/a/', '/a/./b', 'json:{}', '/a\nb'])(
    'refuses %j',
    async (bad) => {
      await expect(create({ path: bad })).rejects.toMatchObject({ code: 'InvalidInput' });
      await expect(remove({ path: bad })).rejects.toMatchObject({ code: 'InvalidInput' });
      await expect(disks.diskFacts({ path: bad }, call())).rejects.toMatchObject({ code: 'InvalidInput' });
    },
  );

  it('does not follow symlinks, neither as the file nor on the way', async () => {
    writeFileSync(join(root, 'secret'), 'secret');
    symlinkSync(join(root, 'secret'), path);
    await expect(remove()).rejects.toMatchObject({ code: 'DiskError' });
    symlinkSync(images, join(root, 'elsewhere'));
    await expect(create({ path: join(root, 'elsewhere/x.qcow2') })).rejects.toMatchObject({
      code: 'InvalidInput',
      hint: expect.stringContaining(images),
    });
    expect(existsSync(join(root, 'secret'))).toBe(true);
  });

  it('says what is not there', async () => {
    await expect(facts()).rejects.toMatchObject({ code: 'NotFound' });
    await expect(create({ image: join(root, 'none') })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(create({ path: join(root, 'none/x.qcow2') })).rejects.toMatchObject({ code: 'NotFound' });
  });
});
