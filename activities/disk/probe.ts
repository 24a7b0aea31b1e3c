import { open, unlink } from 'node:fs/promises';
import { constants } from 'node:fs';
import { posix } from 'node:path';
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { Call } from '../types.js';
import type { Fence } from './fence.js';
import { checkDirectory } from './paths.js';

interface Probe {
  directory: string;
  nonce: string;
}

function probeFile({ directory, nonce }: Probe): string {
  if (!z.guid().safeParse(nonce).success)
    throw new DroverError('InvalidInput', `not a nonce: ${JSON.stringify(nonce)}`);
  return posix.join(directory, `.drover-probe-${nonce}`);
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/**
 * Two hosts share a directory when one finds what the other has just written: names and mounts may lie. One that comes
 * late, after its operation was taken over and its file removed, would leave a file that nobody removes.
 */
export async function writeProbe(fence: Fence, probe: Probe, { owner }: Call): Promise<void> {
  const path = probeFile(probe);
  await fence.pass(owner?.instance ?? '', owner);
  await checkDirectory(probe.directory);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isCode(error, 'EEXIST')) return;
    throw new DroverError('DiskError', `cannot write to ${probe.directory}: ${String(error)}`, {
      cause: error,
    });
  }
}

/** A host without the directory shares nothing. */
export async function readProbe(probe: Probe): Promise<{ shared: boolean }> {
  const path = probeFile(probe);
  try {
    await checkDirectory(probe.directory);
    // Opening, not listing: a network file system asks its server then.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    await file.close();
    return { shared: true };
  } catch (error) {
    if (isCode(error, 'ENOENT') || (error instanceof DroverError && error.code === 'NotFound'))
      return { shared: false };
    throw error;
  }
}

export async function removeProbe(fence: Fence, probe: Probe, { owner }: Call): Promise<void> {
  const path = probeFile(probe);
  await fence.pass(owner?.instance ?? '', owner);
  await unlink(path).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT'))
      throw new DroverError('DiskError', `cannot remove ${path}: ${String(error)}`, { cause: error });
  });
}
