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
} satisfies Record<string, Mutant>;
