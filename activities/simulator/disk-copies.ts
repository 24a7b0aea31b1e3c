/** Disks that go from host to host while nothing uses them, and that grow, in a simulated store. */
import { DroverError } from '../../model/errors.js';
import { hostOfPlace } from '../../model/addresses.js';
import type { Call } from '../types.js';
import type { Tx } from './database.js';
import { checkDirectory, checkPath, madeFor, make, passFence, throwIfAborted, usersOf } from './disk-work.js';
import { fileOn, putFile, removeFile, type FileRow } from './files.js';
import { areConnected, findHost, type HostRow } from './hosts.js';
import type { OnHost } from './worker-of-host.js';

interface Place {
  instance: string;
  path: string;
  replaces: boolean;
}

const nbdPort = 10_809;
/** How often a copy looks whether the other side is still there. */
const lookMs = 1_000;

export async function checkImport(on: OnHost, input: Place, call: Call): Promise<void> {
  await on.run('checkImport', call, (tx, host) => {
    passFence(tx, host, input.instance, call.owner);
    checkDirectory(tx, host, input.path);
    isCopied(tx, host, input, call);
  });
}

export function exportDisk(
  on: OnHost,
  input: { instance: string; path: string; export: string },
  call: Call,
): Promise<{ address: string; port: number; bytes: number }> {
  const { instance, path, export: name } = input;
  return on.run('exportDisk', call, (tx, host) => {
    passFence(tx, host, instance, call.owner);
    const file = fileOn(tx, host, checkPath(path));
    if (file === undefined) throw new DroverError('NotFound', `there is no disk ${path}`);
    refuseUsed(tx, host, path, 'copied');
    tx.run('delete from exports where host = ? and path = ?', host, path);
    tx.run(
      'insert or replace into exports (name, host, instance, path) values (?, ?, ?, ?)',
      name,
      host,
      instance,
      path,
    );
    return { address: host, port: nbdPort, bytes: file.bytes };
  });
}

export async function unexportDisk(
  on: OnHost,
  input: { instance: string; export: string },
  call: Call,
): Promise<void> {
  await on.run('unexportDisk', call, (tx, host) => {
    passFence(tx, host, input.instance, call.owner);
    tx.run('delete from exports where name = ? and host = ?', input.export, host);
  });
}

export async function importDisk(
  on: OnHost,
  input: Place & { format: 'qcow2' | 'raw'; bytes: number; export: string; from: { address: string } },
  call: Call,
): Promise<{ bytes: number }> {
  const { instance, path, format, bytes } = input;
  // Not counted as a call: a fault that is due comes when the copy is given its name.
  const begun = await on.run('', call, (tx, host) => {
    passFence(tx, host, instance, call.owner);
    checkDirectory(tx, host, path);
    return isCopied(tx, host, input, call) ? null : offered(tx, host, input);
  });
  if (begun !== null) await overTheLink(on, input, call, begun.file);
  return on.run('importDisk', call, (tx, host) => {
    passFence(tx, host, instance, call.owner);
    if (isCopied(tx, host, input, call)) return { bytes: fileOn(tx, host, path)?.allocated ?? 0 };
    const { file } = offered(tx, host, input);
    const old = fileOn(tx, host, path);
    if (old !== undefined) removeFile(tx, old);
    make(tx, host, call, input, { path, format, bytes, allocated: file.allocated });
    return { bytes: file.allocated };
  });
}

/** Time passes as the link carries what is in use of the disk; its end is noticed. */
async function overTheLink(
  on: OnHost,
  input: { export: string; from: { address: string } },
  call: Call,
  file: FileRow,
): Promise<void> {
  const { clock } = on.datacenter;
  for (let left = file.allocated; left > 0;) {
    const rate = await on.run('', call, (tx, host) => offered(tx, host, input).rate);
    const ms = Math.min(lookMs, Math.ceil((left / rate) * 1000));
    call.heartbeat({ phase: 'copying', percent: Math.round(100 * (1 - left / file.allocated)) });
    await clock.sleep(ms, call.signal);
    throwIfAborted(call);
    left -= (rate * ms) / 1000;
  }
}

/** What the other host exports, and the bytes per second that come from it. */
function offered(
  tx: Tx,
  host: string,
  input: { export: string; from: { address: string } },
): { file: FileRow; rate: number } {
  const source = findHost(tx, hostOfPlace(input.from.address));
  const here = findHost(tx, host);
  const row = tx.one<{ path: string }>(
    'select path from exports where name = ? and host = ?',
    input.export,
    source?.name ?? '',
  );
  const file = row === undefined || source === undefined ? undefined : fileOn(tx, source.name, row.path);
  const reached = source !== undefined && here !== undefined && reaches(tx, source, here);
  if (file === undefined || !reached) {
    throw new DroverError(
      'DiskError',
      `qemu-img convert: ${input.from.address} does not offer the disk any more`,
    );
  }
  return { file, rate: Math.min(source.link, here.link) };
}

const reaches = (tx: Tx, source: HostRow, here: HostRow): boolean =>
  source.power === 'on' && source.hung === 0 && areConnected(tx, source, here);

/** True when this operation has copied it already; refuses what is somebody else's, as the real work does. */
function isCopied(tx: Tx, host: string, input: Place, call: Call): boolean {
  const { path, instance } = input;
  if (fileOn(tx, host, checkPath(path)) === undefined) return false;
  const made = tx.one<{ instance: string; operation: string }>(
    'select instance, operation from made where host = ? and path = ?',
    host,
    path,
  );
  if (!input.replaces) {
    if (made?.instance === instance && made.operation === call.owner?.operation) return true;
    throw new DroverError(
      'AlreadyExists',
      `${path} is there already, and is no copy that this operation made`,
      { hint: 'move the file away if nothing needs it' },
    );
  }
  refuseUsed(tx, host, path, 'replaced');
  const whose = madeFor(tx, host, path);
  if (whose === undefined || whose === instance) return false;
  throw new DroverError('DiskError', `${path} is made for instance ${whose}; it is not replaced`);
}

/** A simulated half is nowhere: what is not finished is not there. */
export async function dropImport(on: OnHost, input: { instance: string }, call: Call): Promise<void> {
  await on.run('dropImport', call, (tx, host) => passFence(tx, host, input.instance, call.owner));
}

export function growDisk(
  on: OnHost,
  input: { instance: string; path: string; bytes: number },
  call: Call,
): Promise<{ grew: boolean }> {
  const { instance, path, bytes } = input;
  return on.run('growDisk', call, (tx, host) => {
    passFence(tx, host, instance, call.owner);
    const file = fileOn(tx, host, checkPath(path));
    if (file === undefined) throw new DroverError('NotFound', `there is no disk ${path}`);
    if (file.bytes >= bytes) return { grew: false };
    refuseUsed(tx, host, path, 'grown');
    putFile(tx, host, { ...file, bytes });
    return { grew: true };
  });
}

function refuseUsed(tx: Tx, host: string, path: string, what: string): void {
  const users = usersOf(tx, host, path);
  if (users.length === 0) return;
  throw new DroverError('DiskError', `${path} is in use by ${users.join(', ')}; it is not ${what}`, {
    hint: 'end the guest that uses it first',
  });
}
