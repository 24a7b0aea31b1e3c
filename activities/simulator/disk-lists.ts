/** What the worker of a simulated host tells an audit of its files. */
import { createHash } from 'node:crypto';
import type { SeenFile } from '../../model/audit.js';
import type { Call, ListedFiles } from '../types.js';
import type { Tx } from './database.js';
import { passFence } from './disk-work.js';
import { storeOf, type FileRow } from './files.js';
import type { OnHost } from './worker-of-host.js';

const unasked = 200;
const bearsId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const saveDirectory = '/var/lib/libvirt/qemu/save';

type Asked = { directories: string[]; disks: string[]; full: boolean };

export const listFiles = (on: OnHost, input: Asked, call: Call): Promise<ListedFiles> =>
  on.run('listFiles', call, (tx, host) => list(tx, host, input));

export function list(tx: Tx, host: string, { directories, disks, full }: Asked): ListedFiles {
  const notes = new Map(
    tx
      .all<{ path: string; instance: string }>('select path, instance from made where host = ?', host)
      .map(({ path, instance }) => [path, instance]),
  );
  const seen = (paths: readonly string[]): SeenFile[] =>
    paths.flatMap((path) => {
      const store = storeOf(tx, host, path);
      const file = store && tx.one<FileRow>('select * from files where store = ? and path = ?', store, path);
      // One store is one file system: the same path in it is the same file.
      return file
        ? [{ path, inode: `${store}:${path}`, bytes: file.bytes, made: notes.get(path) ?? null }]
        : [];
    });
  const listed = directories.flatMap((directory) => {
    const store = storeOf(tx, host, directory);
    if (store === undefined) return [];
    const names = tx
      .all<{ path: string }>('select path from files where store = ? order by path', store)
      .map(({ path }) => path)
      .filter((path) => path.slice(0, path.lastIndexOf('/')) === directory)
      .filter((path) => bearsId.test(path.slice(directory.length)));
    const digest = createHash('sha256').update(names.join('\n')).digest('hex');
    return [{ directory, digest, files: full || names.length <= unasked ? seen(names) : null }];
  });
  const told = new Set(listed.flatMap(({ files }) => (files ?? []).map(({ path }) => path)));
  return {
    directories: listed,
    made: seen([...notes.keys()].filter((path) => !told.has(path)).toSorted()),
    disks: seen(disks),
    saves: savesOn(tx, host).map((guest) => ({ guest, path: `${saveDirectory}/${guest}.save` })),
  };
}

const savesOn = (tx: Tx, host: string): string[] =>
  tx
    .all<{ guest: string }>(
      `select guest from saves where host = ?
         union select name as guest from guests where host = ? and managed_save = 1 order by guest`,
      host,
      host,
    )
    .map(({ guest }) => guest);

export const removeSavedMemory = (
  on: OnHost,
  { instance, name }: { instance: string; name: string },
  call: Call,
): Promise<{ removed: boolean }> =>
  on.run('removeSavedMemory', call, (tx, host) => {
    passFence(tx, host, instance, call.owner);
    const there = savesOn(tx, host).includes(name);
    tx.run('delete from saves where host = ? and guest = ?', host, name);
    return { removed: there };
  });
