/** What the child runs of a run do, by the type of their workflow, as workflows/entry.ts starts them. */
import { runRunbook } from '../../../workflows/run-runbook.js';
import { newRun, type RunOrder } from '../../../workflows/run-state.js';
import type { ChildRun, Runtime, Word } from '../../../workflows/runtime.js';

type Start = (
  argument: Record<string, unknown>,
  rt: Runtime,
  /** Says what is done with the words of the parent. */
  hears: (heard: (word: Word) => void) => void,
) => Promise<unknown>;

export const childRuns: Record<ChildRun['type'], Start> = {
  'run-runbook': (argument, rt) => runRunbook(newRun(argument as unknown as RunOrder), rt),
  'run-batch': () => Promise.reject(new Error('no batches yet')),
};
