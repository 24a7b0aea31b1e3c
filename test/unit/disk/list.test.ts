/** What the worker of a host tells an audit of its files. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callOf } from '../../call.js';
import { createDiskActivities } from '../../../activities/disk/activities.js';

const instance = '0a0a0a0a-0000-4000-8000-000000000001';
let root: string;
let images: string;
let saves: string;
let disks: ReturnType<typeof createDiskActivities>;

const call = (epoch = 1) => callOf({ instance, operation: `op-${epoch}`, epoch });
const list = (input: { directories?: string[]; disks?: string[]; full?: boolean } = {}) =>
  disks.listFiles({ directories: [images], disks: [], full: false, ...input }, call());
const put = (...names: string[]): void => {
  for (const name of names) writeFileSync(join(images, name), name);
};

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'drover-list-')));
  [images, saves] = [join(root, 'images'), join(root, 'save')];
  mkdirSync(images);
  mkdirSync(saves);
  disks = createDiskActivities({ stateDir: join(root, 'state'), saveDirectory: saves });
});
afterEach(() => rmSync(root, { recursive: true }));

test('files that bear an id, those that this worker made, the disks asked for, and saved memories', async () => {
  put(`${instance}.qcow2`, 'web-1.qcow2', 'base.qcow2');
  writeFileSync(join(saves, 'web-1.save'), '');
  const made = join(images, 'made.qcow2');
  await disks.prepareDisk({ instance, path: made, format: 'raw', bytes: 512 }, call());
  const asked = [join(images, 'web-1.qcow2'), join(images, 'not-there.qcow2')];
  const told = await list({ disks: asked, directories: [images, join(root, 'nowhere')] });
  const named = join(images, `${instance}.qcow2`);
  expect(told.directories.map(({ directory }) => directory)).toEqual([images]);
  expect(told.directories[0]?.files).toEqual([
    { path: named, inode: String(statSync(named).ino), bytes: `${instance}.qcow2`.length, made: null },
  ]);
  expect(told.made).toMatchObject([{ path: made, made: instance }]);
  expect(told.disks).toMatchObject([{ path: asked[0], made: null }]);
  expect(told.saves).toEqual([{ guest: 'web-1', path: join(saves, 'web-1.save') }]);
});

test('very many files are told only when all are asked for; the same names have the same digest', async () => {
  const id = (index: number) => `0a0a0a0a-0000-4000-8000-${String(index).padStart(12, '0')}`;
  put(...Array.from({ length: 250 }, (_, index) => `${id(index)}.qcow2`));
  const [first] = (await list()).directories;
  expect(first?.files).toBeNull();
  const [full] = (await list({ full: true })).directories;
  expect(full?.files).toHaveLength(250);
  expect(full?.digest).toBe(first?.digest);
  put(`${id(999)}.qcow2`);
  expect((await list()).directories[0]?.digest).not.toBe(first?.digest);
});

test('a saved memory goes, twice as once; one that a process reads stays, and a late step is refused', async () => {
  const file = join(saves, 'web-1.save');
  writeFileSync(file, 'memory');
  const held = openSync(file, 'r');
  const remove = (epoch = 1, name = 'web-1') => disks.removeSavedMemory({ instance, name }, call(epoch));
  await expect(remove()).rejects.toMatchObject({ code: 'DiskError' });
  closeSync(held);
  expect(await remove(2)).toEqual({ removed: true });
  expect(existsSync(file)).toBe(false);
  expect(await remove(2)).toEqual({ removed: false });
  await expect(remove(1)).rejects.toMatchObject({ code: 'StaleOwner' });
  await expect(remove(2, '../web-1')).rejects.toMatchObject({ code: 'InvalidInput' });
});
