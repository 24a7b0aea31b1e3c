import type { Stats } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { posix } from 'node:path';
import { DroverError } from '../../model/errors.js';

/** A path as a hypervisor would take it; nothing that could be read as an option, a protocol or another place. */
export function checkPath(path: string): string {
  if (
    !posix.isAbsolute(path) ||
    posix.normalize(path) !== path ||
    path.endsWith('/') ||
    /\p{Cc}/u.test(path)
  ) {
    throw new DroverError('InvalidInput', `not an absolute, plain path: ${JSON.stringify(path)}`);
  }
  return path;
}

/** The directory must be where its name says: a symlink on the way could lead a write to somebody else's file. */
export async function checkDirectory(directory: string): Promise<string> {
  const real = await realpath(checkPath(directory)).catch(() => null);
  if (real === null) throw new DroverError('NotFound', `there is no directory ${directory}`);
  if (real !== directory) {
    throw new DroverError('InvalidInput', `${directory} leads to ${real} by a symbolic link`, {
      hint: `use the path ${real}`,
    });
  }
  return directory;
}

/** The file at the path, null when there is none; anything but a regular file is refused. */
export async function regularFile(path: string): Promise<Stats | null> {
  checkPath(path);
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new DroverError('DiskError', `cannot look at ${path}: ${error.message}`, { cause: error });
  });
  if (found === null) return null;
  await checkDirectory(posix.dirname(path));
  if (!found.isFile()) throw new DroverError('DiskError', `${path} is not a regular file`);
  return found;
}
