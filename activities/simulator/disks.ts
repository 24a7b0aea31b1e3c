/** The work on disks of every host of a datacenter: `call.host` says of which. */
import { DroverError } from '../../model/errors.js';
import type { Call, DiskActivities, Implement } from '../types.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { createDisk, prepareDisk, removeDisk } from './disk-work.js';
import { fileOn, removeFile, putFile, storeOf } from './files.js';
import { serialText } from './serial.js';
import { runOnHost } from './worker-of-host.js';

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
