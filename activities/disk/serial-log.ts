import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import { DroverError } from '../../model/errors.js';
import { regularFile } from './paths.js';

const limitBytes = 1024 ** 2;

/**
 * The end of a serial log, at most 1 MiB; `bytes` is the size of the whole file. Only below the directories
 * that hold such logs: the path comes from a domain's definition, and anything could be written there.
 */
export async function readSerialLog(
  directories: string[],
  input: { path: string; tailBytes: number },
): Promise<{ text: string; bytes: number }> {
  if (!directories.some((directory) => input.path.startsWith(`${directory}/`))) {
    throw new DroverError('Unsupported', `${input.path} is not below ${directories.join(' or ')}`);
  }
  if ((await regularFile(input.path)) === null)
    throw new DroverError('NotFound', `there is no ${input.path}`);
  const file = await open(posix.normalize(input.path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    const wanted = Math.floor(Math.min(Math.max(input.tailBytes, 0), limitBytes, size));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, size - wanted);
    // A cut may fall into a character: what is left of it at the beginning goes.
    const start = wanted < size ? buffer.findIndex((byte) => (byte & 0xc0) !== 0x80) : 0;
    return { text: buffer.subarray(Math.max(0, start), bytesRead).toString('utf8'), bytes: size };
  } finally {
    await file.close();
  }
}
