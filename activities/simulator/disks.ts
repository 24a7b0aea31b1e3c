/** The work on disks of every host of a datacenter: `call.host` says of which. */
import { DroverError } from '../../model/errors.js';
import { hostOfPlace } from '../../model/addresses.js';
import type { Call, DiskActivities, Implement } from '../types.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { createDisk, prepareDisk, removeDisk } from './disk-work.js';
import { strike } from './faults.js';
import { fileOn, removeFile, putFile, storeOf } from './files.js';
import { findHost } from './hosts.js';
import { serialText } from './serial.js';

/** A worker that does not run takes no task; the caller of a real one waits for this long. */
const missingMs = 20_000;
const pollMs = 1_000;

export interface OnHost {
  /** Runs `work` where the host's worker would, under the name of the activity. */
  run<T>(name: string, call: Call, work: (tx: Tx, host: string) => T): Promise<T>;
  datacenter: Datacenter;
}

export function createSimulatedDisks(datacenter: Datacenter): Implement<DiskActivities> {
  const on: OnHost = { datacenter, run: (name, call, work) => runOnHost(datacenter, name, call, work) };
  return {
    createDisk: (input, call) => createDisk(on, input, call),
    prepareDisk: (input, call) => prepareDisk(on, input, call),
    removeDisk: (input, call) => removeDisk(on, input, call),
    diskFacts: ({ path, format }, call) =>
      on.run('diskFacts', call, (tx, host) => {
        const file = fileOn(tx, host, path);
        if (file === undefined) throw new DroverError('NotFound', `there is no disk ${path}`);
        const known = format ?? (file.format === 'raw' ? 'raw' : 'qcow2');
        const backing = file.refers_to === 'a backing file' ? 'base.qcow2' : null;
        return { path, format: known, bytes: file.bytes, allocatedBytes: file.allocated, backing };
      }),
    writeProbe: (probe, call) =>
      on.run('writeProbe', call, (tx, host) => {
        if (storeOf(tx, host, probe.directory) === undefined) throw noDirectory(probe.directory);
        putFile(tx, host, { path: fileOf(probe), format: 'probe', bytes: 0, allocated: 0, refers_to: null });
      }),
    readProbe: (probe, call) =>
      on.run('readProbe', call, (tx, host) => ({ shared: fileOn(tx, host, fileOf(probe)) !== undefined })),
    removeProbe: (probe, call) =>
      on.run('removeProbe', call, (tx, host) => {
        const file = fileOn(tx, host, fileOf(probe));
        if (file !== undefined) removeFile(tx, file);
      }),
    readSerialLog: (input, call) => on.run('readSerialLog', call, (tx, host) => serialText(tx, host, input)),
  };
}

const fileOf = ({ directory, nonce }: { directory: string; nonce: string }): string =>
  `${directory}/.drover-probe-${nonce}`;

export const noDirectory = (directory: string): DroverError =>
  new DroverError('NotFound', `there is no directory ${directory}`);

async function runOnHost<T>(
  datacenter: Datacenter,
  name: string,
  call: Call,
  work: (tx: Tx, host: string) => T,
): Promise<T> {
  if (call.host === null) {
    throw new DroverError('InvalidInput', `${name} works on a host's disks, and the call names no host`);
  }
  const host = hostOfPlace(call.host);
  const { clock } = datacenter;
  const until = clock.now() + missingMs;
  for (;;) {
    const outcome = await datacenter.transact((tx): { done: T } | { error: DroverError } | 'away' => {
      const found = findHost(tx, host);
      if (found === undefined || found.power !== 'on' || found.hung === 1 || found.cut === 1) return 'away';
      const struck = strike(tx, name, host);
      if (struck?.kind === 'fail')
        return { error: new DroverError('DiskError', `${host}: ${struck.message}`) };
      try {
        const done = work(tx, host);
        if (struck === null) return { done };
        // The worker died before it could answer: the attempt is lost, and the next one finds what it did.
        return { error: new DroverError('Internal', `${host}: the worker died before it answered`) };
      } catch (error) {
        if (error instanceof DroverError) return { error };
        throw error;
      }
    });
    if (outcome !== 'away' && 'done' in outcome) return outcome.done;
    if (outcome !== 'away' && 'error' in outcome) throw outcome.error;
    if (call.signal.aborted) throw new DroverError('Internal', `stopped waiting for the worker of ${host}`);
    if (clock.now() >= until) {
      throw new DroverError('HostWorkerMissing', `no drover worker of host ${host} took the work (${name})`, {
        details: { host },
        hint: `bring the simulated host back: drover sim restore ${host}`,
      });
    }
    await clock.sleep(pollMs, call.signal);
  }
}
