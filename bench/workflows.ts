/** The workflows of the benchmarks' worker: drover's, and one that was written by hand. */
import { ParentClosePolicy, executeChild, proxyActivities, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Envelope } from '../activities/types.js';
import {
  pendingStep,
  type RunFinish,
  type RunItemRecord,
  type RunStart,
  type RunStepRecord,
} from '../model/run.js';
import { subjectWorkflowId } from '../model/addresses.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import type { Result } from '../workflows/closing.js';
import type { Order } from '../workflows/operate.js';

export { default } from '../workflows/entry.js';

export interface HandWritten {
  run: RunStart;
  host: string;
  steps: number;
}

export interface HandWrittenItems {
  run: RunStart;
  hosts: string[];
  parallel: number;
}

const { startRun, recordItems, finishRun } = proxyActivities<{
  startRun(envelope: Envelope): Promise<unknown>;
  recordItems(envelope: Envelope): Promise<void>;
  finishRun(envelope: Envelope): Promise<void>;
}>({ startToCloseTimeout: '30s' });

/** What a runbook of so many steps does, without an interpreter: the same records, the same operations. */
export async function handWritten({ run, host, steps }: HandWritten): Promise<void> {
  await startRun(envelope(run));
  const records: RunStepRecord[] = [];
  for (let step = 1; step <= steps; step += 1) {
    const id = `step${step}`;
    const result =
      step % 2 === 1
        ? await operate('host.disable', host, { run: run.id, step: id }, { host, reason: 'a benchmark' })
        : await operate('host.enable', host, { run: run.id, step: id }, { host });
    records.push({
      id,
      name: id,
      state: 'succeeded',
      done: 1,
      failed: 0,
      refused: 0,
      total: 1,
      error: null,
      items: [{ key: id, label: host, state: 'done', error: null, result }],
    });
  }
  const finish: RunFinish = {
    id: run.id,
    state: 'succeeded',
    steps: records,
    undone: [],
    outputs: {},
    error: null,
  };
  await finishRun(envelope(finish));
}

/** What a for-each over so many hosts does, without an interpreter: the same window, and every item a row. */
export async function handWrittenItems({ run, hosts, parallel }: HandWrittenItems): Promise<void> {
  await startRun(envelope(run));
  const step = 'close';
  const record: RunStepRecord = { ...pendingStep(step, step), state: 'succeeded', total: hosts.length };
  let rows: RunItemRecord[] = [];
  const write = async () => {
    const items = rows;
    rows = [];
    if (items.length > 0) await recordItems(envelope({ run: run.id, step, attempt: 1, items }));
  };
  const left = [...hosts];
  const lane = async () => {
    for (let host = left.shift(); host !== undefined; host = left.shift()) {
      const result = await operate(
        'host.disable',
        host,
        { run: run.id, step },
        { host, reason: 'a benchmark' },
      );
      rows.push({ key: host, label: host, state: 'done', error: null, result });
      record.done += 1;
      if (rows.length >= 50) await write();
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  await write();
  const finish: RunFinish = {
    id: run.id,
    state: 'succeeded',
    steps: [record],
    undone: [],
    outputs: {},
    error: null,
  };
  await finishRun(envelope(finish));
}

/** The operation as a child of its own, to be found in the Temporal UI as every operation is. */
async function operate(
  operation: string,
  host: string,
  by: { run: string; step: string },
  input: Record<string, unknown>,
): Promise<Result> {
  const cloud = workflowInfo().workflowId.split('/')[0] ?? '';
  const order: Order = {
    request: {
      id: uuid4(),
      by: 'bench',
      role: 'admin',
      run: { id: by.run, step: by.step, item: by.step },
    },
    input,
  };
  return executeChild<(order: Order) => Promise<Result>>(operation, {
    workflowId: subjectWorkflowId(cloud, operation, host),
    args: [order],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `${operation} ${host}`,
    typedSearchAttributes: searchAttributesOf({ cloud, operation, subject: host, runbook: null, host: null }),
    memo: { label: host, by: 'bench' },
  });
}

const envelope = (input: object): Envelope => ({
  host: null,
  input: { ...input },
  owner: null,
  seq: 0,
  undo: null,
});
