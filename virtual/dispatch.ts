/** What a workflow does, by its type: as workflows/entry.ts, without Temporal. */
import { DroverError } from '../model/errors.js';
import type { RunAsk } from '../model/run.js';
import type { ScheduledOrder } from '../model/schedule.js';
import { Alert, runAlert, type AlertOrder, type AlertWord } from '../workflows/alert.js';
import { runAudit, type AuditOrder } from '../workflows/audit.js';
import { operations } from '../workflows/catalogue.js';
import { runDelayed } from '../workflows/delayed.js';
import { runFenceCheck, type FenceCheckOrder } from '../workflows/fence-check.js';
import { runJanitor } from '../workflows/janitor.js';
import { operate, operateOnHost, type Order } from '../workflows/operate.js';
import { newBatch, runBatch } from '../workflows/run-batch.js';
import type { BatchOrder } from '../workflows/run-batches.js';
import { acceptAsk, askNames, hear, validateAsk, type Ask } from '../workflows/run-control.js';
import { fitting } from '../workflows/run-report.js';
import { runRunbook } from '../workflows/run-runbook.js';
import { isFirstLanguage, newRun, type Run, type RunOrder } from '../workflows/run-state.js';
import { runScheduled } from '../workflows/scheduled-run.js';
import type { DelayedOrder, Word } from '../workflows/runtime.js';
import type { VirtualRun } from './run.js';
import { onWire } from './wire.js';

export function workOf(rt: VirtualRun): () => Promise<unknown> {
  const argument = onWire(rt.argument);
  if (rt.type === 'run-runbook') {
    const run = newRun(argument as RunOrder);
    listen(run, rt);
    if (!isFirstLanguage(run)) answerAsks(run, rt);
    return () => rt.heardOut(() => runRunbook(run, rt));
  }
  if (rt.type === 'run-batch') {
    const batch = argument as BatchOrder;
    const run = newBatch(batch);
    listen(run, rt);
    return () => rt.heardOut(() => runBatch(run, batch, rt));
  }
  if (rt.type === 'alert') return () => hearAlerts(argument as AlertOrder, rt);
  if (rt.type === 'audit') return () => runAudit(argument as Partial<AuditOrder> | null, rt);
  if (rt.type === 'janitor') return () => runJanitor(rt);
  if (rt.type === 'scheduled-run') {
    const order = argument as ScheduledOrder;
    return () => runScheduled(order, new Date(rt.now()).toISOString(), rt);
  }
  if (rt.type === 'fence-check') return () => runFenceCheck(argument as Partial<FenceCheckOrder> | null, rt);
  if (rt.type === 'delayed-operation') return () => runDelayed(argument as DelayedOrder, rt);
  const operation = operations.get(rt.type);
  if (!operation) throw new DroverError('NotFound', `no operation is called ${rt.type}`);
  const order = argument as Order;
  return () =>
    rt.heardOut(() =>
      operation.target === 'host' ? operateOnHost(operation, order, rt) : operate(operation, order, rt),
    );
}

async function hearAlerts(order: AlertOrder, rt: VirtualRun): Promise<unknown> {
  const alert = new Alert(order, () => rt.now());
  rt.handlers.set('alert', { handle: async (word) => alert.hear(word as AlertWord) });
  const end = await runAlert(alert, rt);
  return 'goOn' in end ? hearAlerts(end.goOn, rt) : end;
}

function listen(run: Run, rt: VirtualRun): void {
  rt.progress = () => (isFirstLanguage(run) ? run.steps : { steps: fitting(run), paused: run.paused });
  rt.handlers.set('word', { handle: (word) => hear(run, word as Word, rt) });
}

function answerAsks(run: Run, rt: VirtualRun): void {
  for (const action of askNames) {
    const askOf = (given: unknown) => ({ ...(given as RunAsk), action }) as Ask;
    rt.handlers.set(action, {
      validate: (given) => validateAsk(run, askOf(given)),
      handle: (given) => acceptAsk(run, askOf(given), rt),
    });
  }
}
