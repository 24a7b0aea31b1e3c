import { DroverError } from '../../../model/errors.js';
import type { Move } from '../port.js';
import { spawnClient } from './client.js';

/** The command line of a migration that the two hosts perform by themselves (peer to peer). */
export function migrateArgs(move: Move): string[] {
  return [
    ...kindOf(move),
    ...(move.copy.length > 0 ? ['--copy-storage-all', '--migrate-disks', move.copy.join(',')] : []),
    ...(move.bandwidthMiBs === null ? [] : ['--bandwidth', String(move.bandwidthMiBs)]),
    ...(move.autoConverge === true ? ['--auto-converge'] : []),
    ...(move.postCopy === true ? ['--postcopy'] : []),
  ];
}

/** Its two hosts join the halves of a guest again; what else it was begun with they know. */
export const resumeArgs = (move: Move): string[] => [...kindOf(move), '--postcopy', '--postcopy-resume'];

function kindOf(move: Move): string[] {
  const odd = move.copy.find((target) => !/^[a-z][a-z0-9]*$/.test(target));
  if (odd !== undefined)
    throw new DroverError('InvalidInput', `not the target name of a disk: ${JSON.stringify(odd)}`);
  const hosts = ['--domain', move.id, '--desturi', move.target.uri];
  return ['migrate', ...hosts, '--live', '--p2p', '--persistent', '--undefinesource'];
}

/** Starts the migration, whose client may die; settles when it has ended. */
export const spawnMigration = (file: string, move: Move): Promise<string | null> =>
  spawnClient(file, move.source, migrateArgs(move));
