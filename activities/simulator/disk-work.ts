/** Disks made and removed in a simulated store, with the refusals of the real work on disks. */
import { posix } from 'node:path';
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { Disk } from '../../model/instance.js';
import type { Owner } from '../../model/operation.js';
import type { Call, UndoAnswer } from '../types.js';
import type { Tx } from './database.js';
import { fileOn, isLost, putFile, removeFile, storeOf, type FileRow } from './files.js';
import { disksOf, guestsOn, isOn } from './guests.js';
import type { OnHost } from './worker-of-host.js';

export const noDirectory = (directory: string): DroverError =>
  new DroverError('NotFound', `there is no directory ${directory}`);

/** Bytes per second that an image is copied with. */
const copyRate = 500 * 1024 ** 2;

export async function createDisk(
  on: OnHost,
  input: { instance: string; image: string; path: string; diskGiB: number },
  call: Call,
): Promise<{ disk: Disk; bytes: number }> {
  const { instance, image, path, diskGiB } = input;
  const disk: Disk = { target: 'vda', path, format: 'qcow2', readonly: false };
  const wanted = diskGiB * 1024 ** 3;
  // Not counted as a call: a fault that is due comes when the disk is given its name.
  const looked = await on.run('', call, (tx, host) => {
    passFence(tx, host, instance, call.owner);
    const ours = ownFile(tx, host, path, instance);
    if (ours !== undefined) return { there: ours.bytes };
    checkDirectory(tx, host, path);
    const source = checkedImage(tx, host, image);
    if (wanted > 0 && wanted < source.bytes) {
      const message = `the image needs ${source.bytes} bytes, the disk has only ${wanted} (${diskGiB} GiB)`;
      throw new DroverError('InvalidInput', message, {
        hint: 'take a larger disk; a disk is never made smaller than its image',
      });
    }
    return { source };
  });
  if ('there' in looked) return { disk, bytes: looked.there };
  await on.datacenter.clock.sleep(Math.ceil((looked.source.allocated / copyRate) * 1000), call.signal);
  throwIfAborted(call);
  const bytes = Math.max(wanted, looked.source.bytes);
  await publish(on, call, input, { path, format: 'qcow2', bytes, allocated: looked.source.allocated });
  return { disk, bytes };
}

export async function prepareDisk(
  on: OnHost,
  input: { instance: string; path: string; format: 'qcow2' | 'raw'; bytes: number },
  call: Call,
): Promise<void> {
  const { instance, path, format, bytes } = input;
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new DroverError('InvalidInput', `not a size in bytes: ${bytes}`);
  await on.run('prepareDisk', call, (tx, host) => {
    passFence(tx, host, instance, call.owner);
    const ours = ownFile(tx, host, path, instance);
    if (ours?.bytes === bytes) return;
    if (ours !== undefined)
      throw new DroverError('DiskError', `${path} is there with ${ours.bytes} bytes; ${bytes} are needed`);
    checkDirectory(tx, host, path);
    make(tx, host, call, input, { path, format, bytes, allocated: 0 });
  });
}

/** Removes a disk that no guest of this host has open; absent is done. */
export async function removeDisk(
  on: OnHost,
  input: { instance: string; path: string; onlyIfMade?: boolean },
  call: Call,
): Promise<UndoAnswer> {
  const { instance, path, onlyIfMade = false } = input;
  return on.run('removeDisk', call, (tx, host) => {
    passFence(tx, host, instance, call.owner);
    if (isLost(tx, host, checkPath(path)))
      throw new DroverError('DiskError', `${path}: Transport endpoint is not connected`);
    const file = fileOn(tx, host, path);
    const made = madeFor(tx, host, path);
    const ours = made === instance;
    if (file !== undefined && onlyIfMade && !ours) return { undone: true };
    if (file !== undefined && made !== undefined && !ours) {
      throw new DroverError('DiskError', `${path} was made for instance ${made}; it stays`);
    }
    const users = file === undefined ? [] : usersOf(tx, host, path);
    if (users.length > 0) {
      throw new DroverError('DiskError', `${path} is in use by ${users.join(', ')}; it stays`, {
        hint: 'end the guest that uses it first',
      });
    }
    if (file !== undefined) removeFile(tx, file);
    if (ours) tx.run('delete from made where host = ? and path = ?', host, path);
    return { undone: true };
  });
}

/** The guest processes of this host that have the disk open; those of other hosts nobody sees from here. */
export const usersOf = (tx: Tx, host: string, path: string): string[] =>
  guestsOn(tx, host)
    .filter((guest) => isOn(guest) && disksOf(guest).some((disk) => disk.path === path))
    .map((guest) => `qemu of ${guest.name}`);

async function publish(
  on: OnHost,
  call: Call,
  input: { instance: string; path: string },
  file: Pick<FileRow, 'path' | 'format' | 'bytes' | 'allocated'>,
): Promise<void> {
  await on.run('createDisk', call, (tx, host) => {
    // It took a while: a newer operation may own the instance by now.
    passFence(tx, host, input.instance, call.owner);
    if (ownFile(tx, host, input.path, input.instance) === undefined) make(tx, host, call, input, file);
  });
}

export function make(
  tx: Tx,
  host: string,
  call: Call,
  { instance, path }: { instance: string; path: string },
  file: Pick<FileRow, 'path' | 'format' | 'bytes' | 'allocated'>,
): void {
  putFile(tx, host, { ...file, refers_to: null });
  tx.run(
    'insert or replace into made (host, path, instance, operation) values (?, ?, ?, ?)',
    host,
    path,
    instance,
    call.owner?.operation ?? '',
  );
}

export const madeFor = (tx: Tx, host: string, path: string): string | undefined =>
  tx.one<{ instance: string }>('select instance from made where host = ? and path = ?', host, path)?.instance;

/** The disk that an earlier attempt made; any other file at its place is somebody's data. */
function ownFile(tx: Tx, host: string, path: string, instance: string): FileRow | undefined {
  const file = fileOn(tx, host, checkPath(path));
  if (file === undefined || madeFor(tx, host, path) === instance) return file;
  throw new DroverError(
    'AlreadyExists',
    `${path} is there already, and drover did not make it for this instance`,
    {
      hint: 'move the file away if nothing needs it',
    },
  );
}

function checkedImage(tx: Tx, host: string, path: string): FileRow {
  const image = fileOn(tx, host, checkPath(path));
  if (image === undefined) throw new DroverError('NotFound', `there is no image ${path}`);
  if (image.format !== 'qcow2' && image.format !== 'raw') {
    throw new DroverError('DiskError', `${path} is a ${image.format} image; drover takes qcow2 and raw`, {
      hint: 'convert it with qemu-img convert, on a machine that may trust it',
    });
  }
  if (image.refers_to !== null) {
    throw new DroverError('DiskError', `${path} has ${image.refers_to}; an image must be whole in itself`, {
      hint: 'flatten it with qemu-img convert, on a machine that may trust it',
    });
  }
  return image;
}

export function checkDirectory(tx: Tx, host: string, path: string): void {
  if (storeOf(tx, host, path) === undefined) throw noDirectory(posix.dirname(path));
}

export function checkPath(path: string): string {
  if (posix.isAbsolute(path) && posix.normalize(path) === path && !path.endsWith('/')) return path;
  throw new DroverError('InvalidInput', `not an absolute, plain path: ${JSON.stringify(path)}`);
}

/** The host's own memory of which operation may touch the disks of an instance; it survives a power loss. */
export function passFence(tx: Tx, host: string, instance: string, owner: Owner | null): void {
  if (owner === null)
    throw new DroverError('StaleOwner', 'a call that changes a disk must say which operation makes it');
  if (!z.guid().safeParse(instance).success || owner.instance !== instance) {
    const message = `the call is for instance ${owner.instance}, the disk for ${JSON.stringify(instance)}`;
    throw new DroverError('InvalidInput', message);
  }
  const seen = tx.one<{ epoch: number; operation: string }>(
    'select epoch, operation from fences where host = ? and instance = ?',
    host,
    instance,
  );
  if (
    seen !== undefined &&
    (seen.epoch > owner.epoch || (seen.epoch === owner.epoch && seen.operation !== owner.operation))
  ) {
    throw new DroverError('StaleOwner', `instance ${instance} belongs to ${seen.operation} by now`, {
      details: { owner, epoch: seen.epoch },
    });
  }
  tx.run(
    'insert or replace into fences (host, instance, epoch, operation) values (?, ?, ?, ?)',
    host,
    instance,
    owner.epoch,
    owner.operation,
  );
}

export function throwIfAborted(call: Call): void {
  if (!call.signal.aborted) return;
  if (call.cancelRequested()) throw new DroverError('Cancelled', 'cancelled while the disk was made');
  throw new DroverError('Internal', 'stopped while the disk was made; the next attempt begins again');
}
