import type { DiskActivities, Implement } from '../types.js';
import { DroverError } from '../../model/errors.js';
import { createDisk, prepareDisk, type DiskDeps } from './create.js';
import { exportDisk, unexportDisk, type ExportDeps } from './export.js';
import { createExports } from './exports.js';
import { createFence } from './fence.js';
import { readHeader } from './format.js';
import { growDisk } from './grow.js';
import { checkImport, dropImport, importDisk } from './import.js';
import { listFiles, removeSavedMemory, type ListDeps } from './list.js';
import { createMadeNotes } from './made.js';
import { regularFile } from './paths.js';
import { readProbe, removeProbe, writeProbe } from './probe.js';
import { imageInfo } from './qemu-img.js';
import { removeDisk } from './remove.js';
import { readSerialLog } from './serial-log.js';

/** Work on disks, run by the worker of the host on which they are. */
export function createDiskActivities(options: {
  /** Where this host keeps its fence and its notes; on a disk that survives a reboot. */
  stateDir: string;
  /** Where serial logs may be read; default libvirt's. */
  logDirectories?: string[];
  /** Where saved memories are; default libvirt's. */
  saveDirectory?: string;
}): Implement<DiskActivities> {
  const {
    stateDir,
    logDirectories = ['/var/log/libvirt'],
    saveDirectory = '/var/lib/libvirt/qemu/save',
  } = options;
  const deps: DiskDeps & ExportDeps & ListDeps = {
    saveDirectory,
    fence: createFence(stateDir),
    made: createMadeNotes(stateDir),
    logDirectories,
    exports: createExports(stateDir),
  };
  return {
    createDisk: (input, call) => createDisk(deps, input, call),
    prepareDisk: (input, call) => prepareDisk(deps, input, call),
    removeDisk: (input, call) => removeDisk(deps, input, call),
    async diskFacts({ path, format, unused = false }) {
      if ((await regularFile(path)) === null) throw new DroverError('NotFound', `there is no disk ${path}`);
      // A guest with a raw disk can write what looks like another format's header: whoever knows says so.
      const known = format ?? (await readHeader(path)).format;
      const info = await imageInfo(path, known, { unused });
      // After it was opened: a network file system tells the time anew then.
      const modifiedAt = (await regularFile(path))?.mtime.toISOString() ?? new Date(0).toISOString();
      return { path, format: known, ...info, modifiedAt };
    },
    writeProbe: (probe, call) => writeProbe(deps.fence, probe, call),
    readProbe,
    removeProbe: (probe, call) => removeProbe(deps.fence, probe, call),
    checkImport: (input, call) => checkImport(deps, input, call),
    exportDisk: (input, call) => exportDisk(deps, input, call),
    unexportDisk: (input, call) => unexportDisk(deps, input, call),
    importDisk: (input, call) => importDisk(deps, input, call),
    dropImport: (input, call) => dropImport(deps, input, call),
    growDisk: (input, call) => growDisk(deps, input, call),
    listFiles: (input) => listFiles(deps, input),
    removeSavedMemory: (input, call) => removeSavedMemory(deps, input, call),
    readSerialLog: (input) => readSerialLog(deps.logDirectories, input),
  };
}
