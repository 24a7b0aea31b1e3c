import { execa } from 'execa';
import { DroverError } from '../../../model/errors.js';
import type { Move } from '../port.js';
import { plainMessage } from './errors.js';
import { connectArgs, virshEnv } from './virsh.js';

/** The client does nothing but wait; should it hang in spite of keepalive, this ends it. */
const CLIENT_LIMIT_MS = 24 * 3600 * 1000;

/** The command line of a migration that the two hosts perform by themselves (peer to peer). */
export function migrateArgs(move: Move): string[] {
  const odd = move.copy.find((target) => !/^[a-z][a-z0-9]*$/.test(target));
  if (odd !== undefined)
    throw new DroverError('InvalidInput', `not the target name of a disk: ${JSON.stringify(odd)}`);
  const hosts = ['--domain', move.id, '--desturi', move.target.uri];
  return [
    'migrate',
    ...hosts,
    '--live',
    '--p2p',
    '--persistent',
    '--undefinesource',
    ...(move.copy.length > 0 ? ['--copy-storage-all', '--migrate-disks', move.copy.join(',')] : []),
    ...(move.bandwidthMiBs === null ? [] : ['--bandwidth', String(move.bandwidthMiBs)]),
  ];
}

/**
 * Starts the client in a session of its own and lets go of it: a worker that is killed, or stopped by a signal
 * to its process group, leaves the client alone, and the job would go on even without the client.
 */
export function spawnMigration(file: string, move: Move): Promise<string | null> {
  const client = execa(file, [...connectArgs(move.source), ...migrateArgs(move)], {
    env: virshEnv,
    detached: true,
    cleanup: false,
    stdin: 'ignore',
    stdout: 'ignore',
    timeout: CLIENT_LIMIT_MS,
    killSignal: 'SIGKILL',
    reject: false,
  });
  client.unref();
  return client.then((result) =>
    result.failed
      ? plainMessage(result.stderr || (result.originalMessage ?? '')) || 'the client was killed'
      : null,
  );
}
