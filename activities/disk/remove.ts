import { unlink } from 'node:fs/promises';
import { DroverError } from '../../model/errors.js';
import type { Call, UndoAnswer } from '../types.js';
import { halfOf, type DiskDeps } from './create.js';
import { whoHasOpen } from './open-files.js';
import { regularFile } from './paths.js';

/**
 * Removes a disk that no process of this host has open; absent is done. With `onlyIfMade` (an undo) a file
 * that this worker did not make for the instance stays: the step may have failed just because it was there.
 */
export async function removeDisk(
  deps: DiskDeps,
  input: { instance: string; path: string; onlyIfMade?: boolean },
  call: Call,
): Promise<UndoAnswer> {
  const { instance, path, onlyIfMade = false } = input;
  await deps.fence.pass(instance, call.owner);
  const found = await regularFile(path);
  await unlink(halfOf(path, instance)).catch(() => undefined);
  const made = await deps.made.read(path);
  const ours = made?.instance === instance;
  if (found === null) {
    if (ours) await deps.made.remove(path);
    return { undone: true };
  }
  if (onlyIfMade && !ours) return { undone: true };
  if (made !== null && !ours) {
    throw new DroverError('DiskError', `${path} was made for instance ${made.instance}; it stays`);
  }
  const holders = await whoHasOpen(found);
  if (holders.length > 0) {
    throw new DroverError('DiskError', `${path} is in use by ${holders.join(', ')}; it stays`, {
      hint: 'end the guest that uses it first',
    });
  }
  await unlink(path);
  await deps.made.remove(path);
  return { undone: true };
}
