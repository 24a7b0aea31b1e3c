import { execa } from 'execa';
import type { HostRef } from '../../../model/host.js';
import { plainMessage } from './errors.js';
import { connectArgs, virshEnv } from './virsh.js';

/** The client does nothing but wait; should it hang in spite of keepalive, this ends it. */
const CLIENT_LIMIT_MS = 24 * 3600 * 1000;

/**
 * Starts the client of a job in a session of its own and lets go of it: a worker that is killed, or stopped by a
 * signal to its process group, leaves the client alone, and the job would go on even without the client. Settles when
 * the client has ended, with what it said or null.
 */
export function spawnClient(file: string, host: HostRef, args: string[]): Promise<string | null> {
  const client = execa(file, [...connectArgs(host), ...args], {
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
