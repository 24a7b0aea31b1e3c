import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import { toDroverError } from './errors.js';

export interface VirshOptions {
  /** The program, for tests; default `virsh`. */
  file?: string;
  /** Limit of a call that only reads, in ms; default 8 000. */
  readMs?: number;
  /** Limit of a call that changes something, in ms; default 60 000. */
  changeMs?: number;
}

/** One client process per call: virsh keeps no state, so a hung host costs nobody else anything. */
export interface Virsh {
  readonly file: string;
  read(host: HostRef, args: string[], limitMs?: number): Promise<string>;
  change(host: HostRef, args: string[], limitMs?: number): Promise<string>;
  /**
   * Runs several reading commands over one connection; one text per command. A command about a domain that
   * is not there (any more) answers null; any other error fails the whole batch.
   */
  batch(host: HostRef, commands: string[], limitMs?: number): Promise<(string | null)[]>;
}

/** Messages in English whatever the machine's language, and no default connection from the environment. */
export const virshEnv = { LC_ALL: 'C', LIBVIRT_DEFAULT_URI: '', VIRSH_DEFAULT_CONNECT_URI: '' };

/** Keepalive: a client whose host went silent gives up after about 10 s instead of never. */
export function connectArgs(host: HostRef): string[] {
  return ['--quiet', '--keepalive-interval', '2', '--keepalive-count', '4', '--connect', host.uri];
}

export function createVirsh(options: VirshOptions = {}): Virsh {
  const { file = 'virsh', readMs = 8000, changeMs = 60_000 } = options;

  async function call(host: HostRef, args: string[], limitMs: number) {
    const client = execa(file, [...connectArgs(host), ...args], {
      env: virshEnv,
      stdin: 'ignore',
      // A session of its own, without a terminal: on one, virsh starts a polkit agent that writes into the errors,
      // ssh asks for passwords, and Ctrl-C ends a change half-way.
      detached: true,
      reject: false,
    });
    let overdue = false;
    // A dead host can hang a connection for ever, and SIGTERM does not always end virsh then. What it started
    // (ssh) may hold its output open even after its death, so the output is given up as well.
    const limit = setTimeout(() => {
      overdue = true;
      client.kill('SIGKILL');
      client.stdout.destroy();
      client.stderr.destroy();
    }, limitMs);
    const result = await client.finally(() => clearTimeout(limit));
    if (overdue) {
      const message = `${host.name} (${host.uri}) did not answer within ${limitMs / 1000} s`;
      throw new DroverError('HypervisorUnreachable', message, { details: { host: host.name } });
    }
    return result;
  }

  async function run(host: HostRef, args: string[], limitMs: number): Promise<string> {
    const result = await call(host, args, limitMs);
    if (result.failed) throw toDroverError(host, result.stderr || (result.originalMessage ?? ''));
    return result.stdout;
  }

  return {
    file,
    read: (host, args, limitMs = readMs) => run(host, args, limitMs),
    change: (host, args, limitMs = changeMs) => run(host, args, limitMs),

    async batch(host, commands, limitMs = readMs) {
      // A random mark: nothing that a guest's description says can be taken for it. `hostname` at the end is
      // the proof that the connection lived through: without it an empty answer could mean a lost one.
      const mark = `drover-${randomUUID()}`;
      const script = [...commands, 'hostname'].join(`; echo ${mark}; `);
      const result = await call(host, [script], limitMs);
      const absent = /^error: (failed to get domain|Domain not found)/;
      const lines = result.stderr.split('\n').filter((line) => line.trim() !== '');
      const errors = lines.filter((line) => !absent.test(line));
      const parts = result.stdout.split(mark).map((text) => text.trim());
      if (result.failed || errors.length > 0 || parts.length !== commands.length + 1) {
        throw toDroverError(
          host,
          errors.join('\n') || (result.originalMessage ?? 'error: virsh gave no answer'),
        );
      }
      // virsh writes errors apart from the answers, so an empty answer is a missing domain only beside one.
      return parts.slice(0, -1).map((text) => (text === '' && lines.length > 0 ? null : text));
    },
  };
}
