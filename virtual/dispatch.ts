/** What a workflow does, by its type: as workflows/entry.ts, without Temporal. */
import { DroverError } from '../model/errors.js';
import { operations } from '../workflows/catalogue.js';
import { runJanitor } from '../workflows/janitor.js';
import { operate, operateOnHost, type Order } from '../workflows/operate.js';
import { runRunbook } from '../workflows/run-runbook.js';
import { newRun, type RunOrder } from '../workflows/run-state.js';
import type { VirtualRun } from './run.js';
import { onWire } from './wire.js';

export function workOf(run: VirtualRun): () => Promise<unknown> {
  const argument = onWire(run.argument);
  if (run.type === 'run-runbook') return () => runRunbook(newRun(argument as RunOrder), run);
  if (run.type === 'janitor') return () => runJanitor(run);
  const operation = operations.get(run.type);
  if (!operation) throw new DroverError('NotFound', `no operation is called ${run.type}`);
  const order = argument as Order;
  return () =>
    operation.target === 'host' ? operateOnHost(operation, order, run) : operate(operation, order, run);
}
