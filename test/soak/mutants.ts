/** Faults of drover itself, which the soak must find. */
import type { VirtualCloud } from '../../virtual/cloud.js';
import type { Skills, WorkerProcess } from '../../virtual/process.js';

export type Mutant = (cloud: VirtualCloud) => Promise<void>;

/** Changes what every worker process does, also of those that are started later. */
const altered =
  (change: (skills: Skills) => Skills): Mutant =>
  async ({ temporal }) => {
    const of = temporal.of.bind(temporal);
    const known = new WeakSet<WorkerProcess>();
    temporal.of = (place) => {
      const process = of(place);
      if (process && !known.has(process)) {
        known.add(process);
        Object.assign(process.skills, change({ ...process.skills }));
      }
      return process;
    };
  };

export const mutants = {
  /** Taking back a disk does nothing, and says that it did. */
  'undo-dropped': altered(({ removeDisk }) =>
    removeDisk === undefined ? {} : { removeDisk: () => Promise.resolve({ undone: true }) },
  ),
  /** Hosts forget which epochs they have seen: a step that comes late is let through. */
  'epoch-ignored': async ({ datacenter }) =>
    datacenter.transact((tx) =>
      tx.run('create trigger forgetful after insert on fences begin delete from fences; end'),
    ),
  /** Every fence device is said to have cut its host off; none is asked, and nobody minds the locks of disks. */
  'evidence-ignored': altered(({ fenceOff, fenceStatus, diskFacts }) => ({
    ...(fenceOff && { fenceOff: async () => ({ binding: itsOwn, answer: isOff }) }),
    ...(fenceStatus && { fenceStatus: async () => ({ binding: itsOwn, answer: isOff }) }),
    ...(diskFacts && { diskFacts: (input, call) => diskFacts({ ...input, unused: false }, call) }),
  })),
  /** Disks are never seen to be written, nor to be locked. */
  'witness-ignored': altered(({ diskFacts }) =>
    diskFacts === undefined
      ? {}
      : {
          diskFacts: async (input, call) => ({
            ...(await diskFacts({ ...input, unused: false }, call)),
            modifiedAt: '2026-01-01T00:00:00.000Z',
            allocatedBytes: 0,
          }),
        },
  ),
  /** The storm brake lets everything pass. */
  'budget-ignored': altered(({ takeFence }) =>
    takeFence === undefined
      ? {}
      : { takeFence: (input, call) => takeFence({ ...input, approvedBy: 'nobody' }, call) },
  ),
} satisfies Record<string, Mutant>;

const itsOwn = { binding: 'same', systemUuid: null, says: 'its own' } as const;
const isOff = { ok: true, power: 'off', seconds: 0 } as const;
