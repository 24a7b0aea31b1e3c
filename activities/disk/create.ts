import { link, open, unlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { DroverError } from '../../model/errors.js';
import type { Disk } from '../../model/instance.js';
import type { Call } from '../types.js';
import type { Fence } from './fence.js';
import { untrustedFormat, type DiskFormat } from './format.js';
import type { MadeNotes } from './made.js';
import { checkDirectory, checkPath, regularFile } from './paths.js';
import { convertImage, createImage, enlargeImage, imageInfo } from './qemu-img.js';

export interface DiskDeps {
  fence: Fence;
  made: MadeNotes;
  logDirectories: string[];
}

/** The unfinished file of an instance; in the same directory, so that publishing it is one rename. */
export const halfOf = (path: string, instance: string): string =>
  posix.join(posix.dirname(path), `.${posix.basename(path)}.drover-${instance}`);

export async function createDisk(
  deps: DiskDeps,
  input: { instance: string; image: string; path: string; diskGiB: number },
  call: Call,
): Promise<{ disk: Disk; bytes: number }> {
  const { instance, image, path, diskGiB } = input;
  const owner = await deps.fence.pass(instance, call.owner);
  const disk: Disk = { target: 'vda', path, format: 'qcow2', readonly: false };
  if (await isOurs(deps, path, instance)) return { disk, bytes: (await imageInfo(path, 'qcow2')).bytes };

  if ((await regularFile(image)) === null) throw new DroverError('NotFound', `there is no image ${image}`);
  const format = await untrustedFormat(image);
  const source = await imageInfo(image, format);
  const wanted = diskGiB * 1024 ** 3;
  if (wanted > 0 && wanted < source.bytes) {
    const message = `the image needs ${source.bytes} bytes, the disk has only ${wanted} (${diskGiB} GiB)`;
    throw new DroverError('InvalidInput', message, {
      hint: 'take a larger disk; a disk is never made smaller than its image',
    });
  }
  await publish(deps, { path, instance, operation: owner.operation }, call, async (half) => {
    await convertImage(image, format, half, call.signal);
    if (wanted > source.bytes) await enlargeImage(half, 'qcow2', wanted);
  });
  return { disk, bytes: Math.max(wanted, source.bytes) };
}

/** libvirt fills it during a block migration; it refuses a target whose virtual size differs by a byte. */
export async function prepareDisk(
  deps: DiskDeps,
  input: { instance: string; path: string; format: DiskFormat; bytes: number },
  call: Call,
): Promise<void> {
  const { instance, path, format, bytes } = input;
  const owner = await deps.fence.pass(instance, call.owner);
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new DroverError('InvalidInput', `not a size in bytes: ${bytes}`);
  if (await isOurs(deps, path, instance)) {
    const found = await imageInfo(path, format);
    if (found.bytes === bytes) return;
    throw new DroverError('DiskError', `${path} is there with ${found.bytes} bytes; ${bytes} are needed`);
  }
  await publish(deps, { path, instance, operation: owner.operation }, call, (half) =>
    createImage(half, format, bytes),
  );
}

/**
 * True when an earlier attempt made this very disk. A file that was there before is somebody's data: it is
 * refused.
 */
export async function isOurs(deps: DiskDeps, path: string, instance: string): Promise<boolean> {
  const found = await regularFile(path);
  if (found === null) return false;
  const made = await deps.made.read(path);
  if (made?.instance !== instance) {
    throw new DroverError(
      'AlreadyExists',
      `${path} is there already, and drover did not make it for this instance`,
      {
        hint: 'move the file away if nothing needs it',
      },
    );
  }
  return true;
}

/** Written under another name, brought to the disk, then given its name at once: never a half file at `path`. */
export async function publish(
  deps: DiskDeps,
  made: { path: string; instance: string; operation: string },
  call: Call,
  write: (half: string) => Promise<void>,
  give: (half: string, path: string) => Promise<void> = link,
): Promise<void> {
  const { path, instance } = made;
  await checkDirectory(posix.dirname(checkPath(path)));
  const half = halfOf(path, instance);
  await unlink(half).catch(() => undefined);
  try {
    await write(half);
    await sync(half);
    // It may have taken an hour: a newer operation may own the instance by now.
    await deps.fence.pass(instance, call.owner);
    await deps.made.write(made);
    // By default a link: unlike a rename, it never replaces a file that came meanwhile.
    await give(half, path);
  } catch (error) {
    if (error instanceof DroverError) throw throwIfAborted(call, error);
    const reason = error instanceof Error ? error.message : String(error);
    throw new DroverError('DiskError', `cannot make ${path}: ${reason}`, { cause: error });
  } finally {
    await unlink(half).catch(() => undefined);
  }
  await sync(posix.dirname(path));
}

function throwIfAborted(call: Call, error: DroverError): DroverError {
  if (!call.signal.aborted) return error;
  if (call.cancelRequested())
    return new DroverError('Cancelled', 'cancelled while the disk was made', { cause: error });
  return new DroverError('Internal', 'stopped while the disk was made; the next attempt begins again', {
    cause: error,
  });
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
