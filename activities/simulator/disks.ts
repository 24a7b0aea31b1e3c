/** The work on disks of every host of a datacenter: `call.host` says of which. */
import { DroverError } from '../../model/errors.js';
import type { DiskActivities, Implement } from '../types.js';
import type { Datacenter } from './datacenter.js';
import { createDisk, noDirectory, passFence, prepareDisk, removeDisk } from './disk-work.js';
import { checkImport, dropImport, exportDisk, growDisk, importDisk, unexportDisk } from './disk-copies.js';
import { listFiles, removeSavedMemory } from './disk-lists.js';
import { fileOn, removeFile, putFile, storeOf } from './files.js';
import { isOpenAnywhere, isWritten } from './guests.js';
import { serialText } from './serial.js';
import { hostRunner } from './worker-of-host.js';

export function createSimulatedDisks(datacenter: Datacenter): Implement<DiskActivities> {
  const on = hostRunner(datacenter);
  return {
    createDisk: (input, call) => createDisk(on, input, call),
    prepareDisk: (input, call) => prepareDisk(on, input, call),
    removeDisk: (input, call) => removeDisk(on, input, call),
    diskFacts: ({ path, format, unused }, call) =>
      on.run('diskFacts', call, (tx, host) => {
        const file = fileOn(tx, host, path);
        if (file === undefined) throw new DroverError('NotFound', `there is no disk ${path}`);
        if (unused === true && isOpenAnywhere(tx, file))
          throw new DroverError('DiskLocked', `${path} is locked: a process that runs writes to it`);
        const known = format ?? (file.format === 'raw' ? 'raw' : 'qcow2');
        const backing = file.refers_to === 'a backing file' ? 'base.qcow2' : null;
        const modifiedAt = new Date(isWritten(tx, file) ? tx.now : file.modified_at).toISOString();
        return {
          path,
          format: known,
          bytes: file.bytes,
          allocatedBytes: file.allocated,
          backing,
          modifiedAt,
        };
      }),
    writeProbe: (probe, call) =>
      on.run('writeProbe', call, (tx, host) => {
        passFence(tx, host, call.owner?.instance ?? '', call.owner);
        if (storeOf(tx, host, probe.directory) === undefined) throw noDirectory(probe.directory);
        putFile(tx, host, { path: fileOf(probe), format: 'probe', bytes: 0, allocated: 0, refers_to: null });
      }),
    readProbe: (probe, call) =>
      on.run('readProbe', call, (tx, host) => ({ shared: fileOn(tx, host, fileOf(probe)) !== undefined })),
    removeProbe: (probe, call) =>
      on.run('removeProbe', call, (tx, host) => {
        passFence(tx, host, call.owner?.instance ?? '', call.owner);
        const file = fileOn(tx, host, fileOf(probe));
        if (file !== undefined) removeFile(tx, file);
      }),
    checkImport: (input, call) => checkImport(on, input, call),
    exportDisk: (input, call) => exportDisk(on, input, call),
    unexportDisk: (input, call) => unexportDisk(on, input, call),
    importDisk: (input, call) => importDisk(on, input, call),
    dropImport: (input, call) => dropImport(on, input, call),
    growDisk: (input, call) => growDisk(on, input, call),
    listFiles: (input, call) => listFiles(on, input, call),
    removeSavedMemory: (input, call) => removeSavedMemory(on, input, call),
    readSerialLog: (input, call) => on.run('readSerialLog', call, (tx, host) => serialText(tx, host, input)),
  };
}

const fileOf = ({ directory, nonce }: { directory: string; nonce: string }): string =>
  `${directory}/.drover-probe-${nonce}`;
