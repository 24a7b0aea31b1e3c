import { DroverError } from '../../model/errors.js';
import type { Call } from '../types.js';
import type { DiskDeps } from './create.js';
import type { DiskFormat } from './format.js';
import { whoHasOpen } from './open-files.js';
import { regularFile } from './paths.js';
import { enlargeImage, imageInfo } from './qemu-img.js';

export async function growDisk(
  deps: Pick<DiskDeps, 'fence'>,
  input: { instance: string; path: string; format: DiskFormat; bytes: number },
  call: Call,
): Promise<{ grew: boolean }> {
  const { instance, path, format, bytes } = input;
  await deps.fence.pass(instance, call.owner);
  const found = await regularFile(path);
  if (found === null) throw new DroverError('NotFound', `there is no disk ${path}`);
  if ((await imageInfo(path, format)).bytes >= bytes) return { grew: false };
  const users = await whoHasOpen(found);
  if (users.length > 0) {
    throw new DroverError('DiskError', `${path} is in use by ${users.join(', ')}; it is not grown`, {
      hint: 'end the guest that uses it first',
    });
  }
  await enlargeImage(path, format, bytes);
  return { grew: true };
}
