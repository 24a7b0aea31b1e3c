import { createHash } from 'node:crypto';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { z } from 'zod';
import type { SeenFile } from '../../model/audit.js';
import { DroverError } from '../../model/errors.js';
import type { Call, ListedDirectory, ListedFiles } from '../types.js';
import type { Fence } from './fence.js';
import type { MadeNotes } from './made.js';
import { whoHasOpen } from './open-files.js';
import { checkPath, regularFile } from './paths.js';

/** So many files of a directory are told unasked; where there are more, one host tells for all that share it. */
const unasked = 200;
/** Paths go over the wire, which takes 2 MB at once. */
const most = 10_000;
const bearsId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

export interface ListDeps {
  fence: Fence;
  made: MadeNotes;
  /** Where libvirt keeps the memory of guests that it saved. */
  saveDirectory: string;
}

/** What an audit wants to know of a host's files. A directory that is not there is not told. */
export async function listFiles(
  { made, saveDirectory }: ListDeps,
  input: { directories: string[]; disks: string[]; full: boolean },
): Promise<ListedFiles> {
  const notes = new Map((await made.list()).map(({ path, instance }) => [path, instance]));
  const seen = async (paths: readonly string[]): Promise<SeenFile[]> => {
    const found: SeenFile[] = [];
    for (const path of paths) {
      const file = await fileAt(path);
      if (file !== null) found.push({ path, ...file, made: notes.get(path) ?? null });
    }
    return found;
  };
  const directories: ListedDirectory[] = [];
  for (const directory of input.directories) {
    const names = await readdir(checkPath(directory)).catch(() => null);
    if (names === null) continue;
    const ours = names.filter((name) => bearsId.test(name)).toSorted();
    const digest = createHash('sha256').update(ours.join('\n')).digest('hex');
    const told = input.full || ours.length <= unasked;
    const paths = ours.slice(0, most).map((name) => posix.join(directory, name));
    directories.push({ directory, digest, files: told ? await seen(paths) : null });
  }
  const listed = new Set(directories.flatMap(({ files }) => (files ?? []).map(({ path }) => path)));
  return {
    directories,
    made: await seen([...notes.keys()].filter((path) => !listed.has(path)).toSorted()),
    disks: await seen(input.disks),
    saves: await savesIn(saveDirectory),
  };
}

async function fileAt(path: string): Promise<{ inode: string; bytes: number } | null> {
  const found = await lstat(path).catch(() => null);
  return found?.isFile() ? { inode: String(found.ino), bytes: found.size } : null;
}

const ending = '.save';

async function savesIn(directory: string): Promise<{ guest: string; path: string }[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => ({ guest: name.slice(0, -ending.length), path: posix.join(directory, name) }));
}

/** Of a guest that runs elsewhere. One that a process has open is being written, or restored, just now. */
export async function removeSavedMemory(
  { fence, saveDirectory }: ListDeps,
  { instance, name }: { instance: string; name: string },
  call: Call,
): Promise<{ removed: boolean }> {
  await fence.pass(instance, call.owner);
  if (
    !z
      .string()
      .regex(/^[^/\p{Cc}]+$/u)
      .safeParse(name).success
  ) {
    throw new DroverError('InvalidInput', `not the name of a guest: ${JSON.stringify(name)}`);
  }
  const path = posix.join(saveDirectory, `${name}${ending}`);
  const found = await regularFile(path);
  if (found === null) return { removed: false };
  const holders = await whoHasOpen(found);
  if (holders.length > 0)
    throw new DroverError('DiskError', `${path} is in use by ${holders.join(', ')}; it stays`);
  await unlink(path);
  return { removed: true };
}
