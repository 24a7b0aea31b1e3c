import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { Call } from '../types.js';
import { isServed, type Export, type Exports } from './exports.js';
import type { Fence } from './fence.js';
import type { DiskFormat } from './format.js';
import { whoHasOpen } from './open-files.js';
import { regularFile } from './paths.js';
import { imageInfo } from './qemu-img.js';

export interface ExportDeps {
  fence: Fence;
  exports: Exports;
}

/** How long the process may take until it listens, and to end. */
const patienceMs = 10_000;
/** Others may take the port in between. */
const tries = 5;
/** One reads; the process of a reader whose worker was killed must not keep the next one waiting. */
const readersAtOnce = 4;

/**
 * Offers a disk to another host by NBD, read-only, at the address at which this host is reached, under a random name.
 * It goes on without this worker, and ends by itself after `seconds`. Neither encrypted nor asking who reads, as
 * QEMU's own copies of disks are: the network of the hosts is trusted.
 */
export async function exportDisk(
  { fence, exports }: ExportDeps,
  input: { instance: string; path: string; format: DiskFormat; export: string; uri: string; seconds: number },
  call: Call,
): Promise<{ address: string; port: number; bytes: number }> {
  const { instance, path, format } = input;
  await fence.pass(instance, call.owner);
  const name = checkedName(input.export);
  const found = await regularFile(path);
  if (found === null) throw new DroverError('NotFound', `there is no disk ${path}`);
  const { bytes } = await imageInfo(path, format);
  for (const other of await exports.of(instance)) {
    if (other.name === name && (await isServed(other))) return { ...placeOf(other), bytes };
    // Of an attempt before, or of an operation that was given up.
    if (other.path === path) await end(exports, other);
  }
  const users = await whoHasOpen(found);
  if (users.length > 0) {
    throw new DroverError('DiskError', `${path} is in use by ${users.join(', ')}; it is not copied`, {
      hint: 'end the guest that uses it first',
    });
  }
  const given = await serve(exports, { instance, path, name, address: addressOf(input.uri) }, input);
  return { ...placeOf(given), bytes };
}

export async function unexportDisk(
  { fence, exports }: ExportDeps,
  input: { instance: string; export: string },
  call: Call,
): Promise<void> {
  await fence.pass(input.instance, call.owner);
  const found = await exports.read(checkedName(input.export));
  if (found !== null) await end(exports, found);
}

const placeOf = ({ address, port }: Export): { address: string; port: number } => ({ address, port });

/** The host of a libvirt URI, at which the other hosts reach this one; `qemu:///system` names none. */
export function addressOf(uri: string): string {
  const [, host] = /^[a-z+]+:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]*)/.exec(uri) ?? [];
  return host === undefined || host === '' ? hostname() : host.replace(/^\[|\]$/g, '');
}

async function serve(
  exports: Exports,
  what: Omit<Export, 'pid' | 'port'>,
  { format, seconds }: { format: DiskFormat; seconds: number },
): Promise<Export> {
  const { path, name, address } = what;
  let why = 'it did not listen';
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const port = await freePort(address);
    const where = [`--bind=${address}`, `--port=${port}`, `--export-name=${name}`];
    const how = ['--read-only', '--persistent', `--shared=${readersAtOnce}`, `--format=${format}`];
    // A session of its own: it outlives this worker, and `timeout` ends it in any case.
    const server = execa('timeout', [String(seconds), 'qemu-nbd', ...where, ...how, path], {
      env: { LC_ALL: 'C' },
      detached: true,
      cleanup: false,
      stdin: 'ignore',
      stdout: 'ignore',
      reject: false,
    });
    if (server.pid === undefined) break;
    const given: Export = { ...what, port, pid: server.pid };
    // Before it is waited for: should this worker die now, the next attempt ends what it finds.
    await exports.write(given);
    const ended = server.then((result) => result.stderr);
    if (await listens(given, ended)) {
      server.stderr.destroy();
      server.unref();
      return given;
    }
    await end(exports, given);
    why = (await ended).split('\n').find((line) => line.trim() !== '') ?? why;
    if (!why.includes('Address already in use')) break;
  }
  throw new DroverError(
    'DiskError',
    `cannot offer ${path} to another host: ${why.replace(/^qemu-nbd: /, '')}`,
    {
      hint: `is qemu-nbd (Debian: qemu-utils) installed, and ${address} an address of this host?`,
    },
  );
}

async function listens(given: Export, ended: Promise<unknown>): Promise<boolean> {
  const until = Date.now() + patienceMs;
  const over = ended.then(() => true);
  while (Date.now() < until) {
    if (await answers(given)) return true;
    if (await Promise.race([over, sleep(20, false)])) return false;
  }
  return false;
}

const answers = ({ address, port }: Export): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const done = (yes: boolean) => () => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', done(true)).once('error', done(false));
  });

/** Ends it and waits for its end: the disk is free only then. */
async function end(exports: Exports, given: Export): Promise<void> {
  const until = Date.now() + patienceMs;
  while (await isServed(given)) {
    // The group: `timeout` and what it runs.
    signal(-given.pid, Date.now() < until - patienceMs / 2 ? 'SIGTERM' : 'SIGKILL');
    if (Date.now() > until) throw new DroverError('DiskError', `the export of ${given.path} does not end`);
    await sleep(20);
  }
  await exports.remove(given.name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended just now.
  }
}

const freePort = (address: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const why = `cannot listen on ${address}, where other hosts reach this one: ${error.message}`;
      reject(
        new DroverError('DiskError', why, { hint: 'is the address of the host in the inventory its own?' }),
      );
    });
    server.listen({ host: address, port: 0 }, () => {
      const at = server.address();
      server.close(() => resolve(typeof at === 'object' && at !== null ? at.port : 0));
    });
  });

function checkedName(name: string): string {
  if (z.guid().safeParse(name).success) return name;
  throw new DroverError('InvalidInput', `not the name of an export: ${JSON.stringify(name)}`);
}
