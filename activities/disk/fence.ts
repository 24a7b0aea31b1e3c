import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { Owner } from '../../model/operation.js';

/**
 * The host's own memory of which operation may touch an instance's disks: a host worker has no inventory to
 * ask. One file per epoch, `fence/<instance>/<epoch>`, made exclusively: two processes that raise it at
 * the same time can't lower it again, as they could with one file that is read and rewritten.
 */
export interface Fence {
  /** Refuses an owner that a newer one has replaced (StaleOwner); raises the fence for a newer one. */
  pass(instance: string, owner: Owner | null): Promise<Owner>;
}

export function createFence(stateDir: string): Fence {
  return {
    async pass(instance, owner) {
      if (owner === null) {
        throw new DroverError('StaleOwner', 'a call that changes a disk must say which operation makes it');
      }
      if (!z.guid().safeParse(instance).success || owner.instance !== instance) {
        const message = `the call is for instance ${owner.instance}, the disk for ${JSON.stringify(instance)}`;
        throw new DroverError('InvalidInput', message);
      }
      const directory = join(stateDir, 'fence', instance);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await raise(directory, owner);
      const epochs = (await readdir(directory)).filter((name) => /^\d+$/.test(name)).map(Number);
      const newest = Math.max(...epochs);
      const holder = await readFile(join(directory, String(newest)), 'utf8');
      if (newest > owner.epoch || holder !== owner.operation) {
        throw new DroverError('StaleOwner', `instance ${instance} belongs to ${holder} by now`, {
          details: { owner, epoch: newest },
        });
      }
      const older = epochs.filter((epoch) => epoch < newest);
      await Promise.all(older.map((epoch) => unlink(join(directory, String(epoch))).catch(() => undefined)));
      return owner;
    },
  };
}

async function raise(directory: string, owner: Owner): Promise<void> {
  if (!Number.isInteger(owner.epoch) || owner.epoch < 0) {
    throw new DroverError('InvalidInput', `not an epoch: ${owner.epoch}`);
  }
  const newest = Math.max(-1, ...(await readdir(directory)).filter((name) => /^\d+$/.test(name)).map(Number));
  if (newest >= owner.epoch) return;
  // Written first and linked then: an epoch that exists always tells its holder, whenever this process dies.
  const draft = join(directory, `.${randomUUID()}`);
  await writeFile(draft, owner.operation, { mode: 0o600, flush: true });
  try {
    await link(draft, join(directory, String(owner.epoch)));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
}
