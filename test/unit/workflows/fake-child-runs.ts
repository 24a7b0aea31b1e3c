/** What the child runs of a run do, by the type of their workflow, as workflows/entry.ts starts them. */
import { runRunbook } from '../../../workflows/run-runbook.js';
import { hear } from '../../../workflows/run-control.js';
import { newBatch, runBatch } from '../../../workflows/run-batch.js';
import type { BatchOrder } from '../../../workflows/run-batches.js';
import { newRun, type RunOrder } from '../../../workflows/run-state.js';
import type { ChildRun, Runtime, Word } from '../../../workflows/runtime.js';

type Start = (
  argument: Record<string, unknown>,
  rt: Runtime,
  /** Says what is done with the words of the parent. */
  hears: (heard: (word: Word) => void) => void,
) => Promise<unknown>;

export const childRuns: Record<ChildRun['type'], Start> = {
  'run-runbook': (argument, rt, hears) => {
    const run = newRun(argument as unknown as RunOrder);
    hears((word) => void hear(run, word, rt));
    return runRunbook(run, rt);
  },
  'run-batch': (argument, rt, hears) => {
    const batch = argument as unknown as BatchOrder;
    const run = newBatch(batch);
    hears((word) => void hear(run, word, rt));
    return runBatch(run, batch, rt);
  },
};
