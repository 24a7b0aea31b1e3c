/** Files on stores. A host sees a store at a directory; two hosts that mount the same store share its files. */
import { DroverError } from '../../model/errors.js';
import type { Tx } from './database.js';

export interface FileRow {
  store: string;
  path: string;
  /** qcow2 or raw for a disk; 'probe' for a nonce; any other is an image that drover does not take. */
  format: string;
  /** Virtual size, and what is in use of it. */
  bytes: number;
  allocated: number;
  /** 'a backing file' or 'a data file' for an image that is not whole in itself. */
  refers_to: string | null;
  /** When a guest, or whoever made it, wrote to it last. */
  modified_at: number;
}

export function addMount(
  tx: Tx,
  host: string,
  directory: string,
  on: { store: string; bytes: number },
): void {
  tx.run('insert into stores (name, bytes) values (?, ?) on conflict do nothing', on.store, on.bytes);
  tx.run(
    'insert into mounts (host, directory, store) values (?, ?, ?) on conflict do update set store = excluded.store',
    host,
    directory,
    on.store,
  );
}

/** The host does not reach the storage any more that it shares with others, or does so again. */
export function loseStorage(tx: Tx, host: string, lost: boolean): void {
  tx.run(
    `update mounts set lost = ? where host = ?
       and store in (select store from mounts group by store having count(*) > 1)`,
    lost ? 1 : 0,
    host,
  );
}

/** The store in which a host finds a path; undefined where it has no such directory, or it is lost. */
export function storeOf(tx: Tx, host: string, path: string): string | undefined {
  const mounts = tx.all<{ directory: string; store: string }>(
    'select directory, store from mounts where host = ? and lost = 0 order by length(directory) desc',
    host,
  );
  return mounts.find(({ directory }) => path === directory || path.startsWith(`${directory}/`))?.store;
}

/** Where the path is on storage that the host has lost: there every call fails, also one for a file that is not there. */
export const isLost = (tx: Tx, host: string, path: string): boolean =>
  tx.one(`select 1 from mounts where host = ? and lost = 1 and ? like directory || '/%'`, host, path) !==
  undefined;

export function fileOn(tx: Tx, host: string, path: string): FileRow | undefined {
  const store = storeOf(tx, host, path);
  if (store === undefined) return undefined;
  return tx.one<FileRow>('select * from files where store = ? and path = ?', store, path);
}

/** Makes a file, or changes one; DiskError when the store is full. */
export function putFile(tx: Tx, host: string, file: Omit<FileRow, 'store' | 'modified_at'>): void {
  const { path, format, bytes, allocated, refers_to } = file;
  const store = storeOf(tx, host, path);
  if (store === undefined) throw new DroverError('NotFound', `there is no directory for ${path} on ${host}`);
  const before = tx.one<FileRow>('select * from files where store = ? and path = ?', store, path);
  const grows = allocated - (before?.allocated ?? 0);
  const size = tx.one<{ bytes: number; used: number }>(
    'select bytes, used from stores where name = ?',
    store,
  );
  if (size !== undefined && grows > size.bytes - size.used) {
    throw new DroverError('DiskError', `cannot make ${path}: No space left on device (store ${store})`, {
      hint: 'free space on that store, or take another directory',
    });
  }
  tx.run('update stores set used = used + ? where name = ?', grows, store);
  tx.run(
    `insert or replace into files (store, path, format, bytes, allocated, refers_to, modified_at)
     values (?, ?, ?, ?, ?, ?, ?)`,
    store,
    path,
    format,
    bytes,
    allocated,
    refers_to,
    tx.now,
  );
}

/** A guest runs on them from now on. */
export function touchFiles(
  tx: Tx,
  host: string,
  disks: readonly { path: string; readonly: boolean }[],
): void {
  for (const { path, readonly } of disks) {
    const store = readonly ? undefined : storeOf(tx, host, path);
    if (store !== undefined)
      tx.run('update files set modified_at = ? where store = ? and path = ?', tx.now, store, path);
  }
}

export function removeFile(tx: Tx, { store, path, allocated }: FileRow): void {
  tx.run('delete from files where store = ? and path = ?', store, path);
  tx.run('update stores set used = used - ? where name = ?', allocated, store);
}

/** All of it is in use from now on: a copy has no holes. It happens by itself, so it never fails. */
export function fillFile(tx: Tx, { store, path, bytes, allocated }: FileRow): void {
  tx.run('update files set allocated = bytes where store = ? and path = ?', store, path);
  tx.run('update stores set used = used + ? where name = ?', bytes - allocated, store);
}
