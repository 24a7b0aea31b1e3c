import { rename, unlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { DroverError } from '../../model/errors.js';
import type { Call } from '../types.js';
import { halfOf, publish, type DiskDeps } from './create.js';
import type { DiskFormat } from './format.js';
import { whoHasOpen } from './open-files.js';
import { checkDirectory, checkPath, regularFile } from './paths.js';
import { copyExport, imageInfo } from './qemu-img.js';

interface Place {
  instance: string;
  path: string;
  /** An old copy of the disk that is there is replaced; otherwise what is there is somebody's data. */
  replaces: boolean;
}

export async function checkImport(deps: DiskDeps, input: Place, call: Call): Promise<void> {
  await deps.fence.pass(input.instance, call.owner);
  await checkDirectory(posix.dirname(checkPath(input.path)));
  await refuseOthers(deps, input, call);
}

/** Answers how much of the disk there is to read; the holes are not. */
export async function importDisk(
  deps: DiskDeps,
  input: Place & {
    format: DiskFormat;
    bytes: number;
    export: string;
    from: { host: string; address: string; port: number };
  },
  call: Call,
): Promise<{ bytes: number }> {
  const { instance, path, format, bytes, from } = input;
  const owner = await deps.fence.pass(instance, call.owner);
  if (await refuseOthers(deps, input, call)) return { bytes: (await imageInfo(path, format)).allocatedBytes };
  await publish(
    deps,
    { path, instance, operation: owner.operation },
    call,
    async (half) => {
      const progress = (percent: number) => call.heartbeat({ phase: 'copying', percent, from: from.host });
      await copyExport({ ...from, name: input.export }, { path: half, format }, { ...call, progress });
      const copied = await imageInfo(half, format);
      if (copied.bytes === bytes) return;
      throw new DroverError('DiskError', `the copy of ${path} has ${copied.bytes} bytes instead of ${bytes}`);
    },
    input.replaces ? rename : undefined,
  );
  return { bytes: (await imageInfo(path, format)).allocatedBytes };
}

export async function dropImport(
  deps: DiskDeps,
  { instance, path }: { instance: string; path: string },
  call: Call,
): Promise<void> {
  await deps.fence.pass(instance, call.owner);
  await unlink(halfOf(checkPath(path), instance)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT')
      throw new DroverError('DiskError', `cannot remove the half of ${path}: ${error.message}`);
  });
}

/**
 * True when this operation has copied it already. What replaces an old copy is copied again: since an attempt that
 * was taken back the guest may have run, and written.
 */
async function refuseOthers(deps: DiskDeps, input: Place, call: Call): Promise<boolean> {
  const { path, instance } = input;
  const found = await regularFile(path);
  if (found === null) return false;
  const made = await deps.made.read(path);
  if (!input.replaces) {
    // Of any other operation it is not what is to be copied now, even if it was this instance's.
    if (made?.instance === instance && made.operation === call.owner?.operation) return true;
    throw new DroverError(
      'AlreadyExists',
      `${path} is there already, and is no copy that this operation made`,
      {
        hint: 'move the file away if nothing needs it',
      },
    );
  }
  const users = await whoHasOpen(found);
  if (users.length === 0 && (made === null || made.instance === instance)) return false;
  const why = users.length > 0 ? `in use by ${users.join(', ')}` : `made for instance ${made?.instance}`;
  throw new DroverError('DiskError', `${path} is ${why}; it is not replaced`);
}
