/** Faults of drover itself, which the soak must find. */
import type { VirtualCloud } from '../../virtual/cloud.js';
import type { Skills, WorkerProcess } from '../../virtual/process.js';

export type Mutant = (cloud: VirtualCloud) => void;

/** Changes what every worker process does, also of those that are started later. */
const altered =
  (change: (skills: Skills) => Skills): Mutant =>
  ({ temporal }) => {
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
  /** Taking a copied disk back does nothing, and says that it did. */
  'undo-dropped': altered(({ removeDisk }) =>
    removeDisk === undefined ? {} : { removeDisk: () => Promise.resolve({ undone: true as const }) },
  ),
} satisfies Record<string, Mutant>;
