/** The workflows of the benchmarks' worker: drover's, and one that was written by hand. */
import { ParentClosePolicy, executeChild, proxyActivities, uuid4, workflowInfo } from '@temporalio/workflow';
import type { ClaimAnswer, Envelope } from '../activities/types.js';
import type { Disk } from '../model/instance.js';
import type { IntentCall, Owner } from '../model/operation.js';
import {
  pendingStep,
  type RunFinish,
  type RunItemRecord,
  type RunStart,
  type RunStepRecord,
} from '../model/run.js';
import { hostQueue, subjectWorkflowId, workPlace } from '../model/addresses.js';
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

const launching = proxyActivities<{
  beginOperation(envelope: Envelope): Promise<{ owner: Owner }>;
  claimHost(envelope: Envelope): Promise<ClaimAnswer>;
  admit(envelope: Envelope): Promise<void>;
  defineGuest(envelope: Envelope): Promise<void>;
  startGuest(envelope: Envelope): Promise<{ power: string }>;
  commit(envelope: Envelope): Promise<unknown>;
  finishOperation(envelope: Envelope): Promise<unknown>;
}>({ startToCloseTimeout: '120s' });

/** What a launch does when nothing goes wrong, without drover's workflows: the same activities in the same order. */
export async function handWrittenLaunch({ request, input }: Order): Promise<void> {
  const { instance, name, vcpus, memory_mib, image, directory } = input as Record<string, string & number>;
  const size = { vcpus, memoryMiB: memory_mib };
  const { owner } = await launching.beginOperation(
    envelope({
      kind: 'launch',
      request,
      instance,
      input,
      allowedStates: ['building'],
      doing: 'building',
      respectsLock: true,
      respectsNeedsRepair: true,
      needs: 'launch',
      create: { name, flavor: null, ...size, image, metadata: {}, networks: [] },
    }),
  );
  let seq = 0;
  const step = (given: object, undo: IntentCall | null = null): Envelope => {
    seq += 1;
    return { ...envelope(given), owner, seq, undo };
  };
  const claim = uuid4();
  const room = { claim, ...size, host: null, exclude: [], from: null, waitSeconds: 0 };
  const undo = (activity: string, given: Record<string, unknown>, onHost: string | null): IntentCall => ({
    activity,
    input: given,
    onHost,
    says: activity,
  });
  const { host } = await launching.claimHost(step(room, undo('releaseClaim', { claim }, null)));
  const place = workPlace(host);
  const path = `${String(directory)}/${String(instance)}.qcow2`;
  const made = undo('removeDisk', { instance, path, onlyIfMade: true }, place);
  const making = step({ instance, image, path, diskGiB: 0 }, made);
  await launching.admit(envelope({ owner, seq, undo: made }));
  const { createDisk } = proxyActivities<{ createDisk(envelope: Envelope): Promise<{ disk: Disk }> }>({
    startToCloseTimeout: '120s',
    taskQueue: hostQueue(workflowInfo().taskQueue, place),
  });
  const { disk } = await createDisk({ ...making, host: host.name });
  const guest = { instance, name, host };
  const spec = { id: instance, name, ...size, disks: [disk], bridges: [] };
  await launching.defineGuest(step({ host, spec }, undo('removeGuest', guest, null)));
  const { power } = await launching.startGuest(step(guest));
  const patch = { state: 'active', powerState: power, host: host.name, disks: [disk], fault: null };
  await launching.commit(envelope({ owner, patch, cleanup: [] }));
  const end = { state: 'succeeded', patch, result: { host: host.name }, error: null, settled: [], left: [] };
  await launching.finishOperation(envelope({ owner, ...end }));
}

export interface HandWrittenRecovery {
  lost: string;
  guests: { id: string; name: string; vcpus: number; memoryMiB: number }[];
  parallel: number;
  request: string;
}

const evacuating = proxyActivities<{
  defineEvacuated(envelope: Envelope): Promise<void>;
  startEvacuated(envelope: Envelope): Promise<{ power: string }>;
}>({ startToCloseTimeout: '120s' });

/** Claims, defines and starts the guests of a lost host, as a script would: no evidence, no proof of disks, no order. */
export async function handWrittenRecovery({ lost, guests, parallel }: HandWrittenRecovery): Promise<void> {
  const left = [...guests];
  const lane = async () => {
    for (let guest = left.shift(); guest !== undefined; guest = left.shift()) await evacuate(lost, guest);
  };
  await Promise.all(Array.from({ length: parallel }, lane));
}

async function evacuate(lost: string, guest: HandWrittenRecovery['guests'][number]): Promise<void> {
  const { id: instance, name, vcpus, memoryMiB } = guest;
  const request = { id: uuid4(), by: 'bench', role: 'admin' as const, run: null };
  const { owner } = await launching.beginOperation(
    envelope({
      kind: 'evacuate',
      request,
      instance,
      input: { instance },
      allowedStates: null,
      doing: 'evacuating',
      respectsLock: false,
      respectsNeedsRepair: false,
      needs: null,
      create: null,
    }),
  );
  let seq = 0;
  const step = (given: object): Envelope => {
    seq += 1;
    return { ...envelope(given), owner, seq, undo: null };
  };
  const claim = uuid4();
  const room = { claim, vcpus, memoryMiB, host: null, exclude: [lost], from: null, lost, waitSeconds: 0 };
  const { host } = await launching.claimHost(step(room));
  await evacuating.defineEvacuated(step({ instance, name, host, lost }));
  const { power } = await evacuating.startEvacuated(step({ instance, name, host, lost }));
  const patch = { state: 'active', powerState: power, host: host.name };
  await launching.commit(envelope({ owner, patch, cleanup: [] }));
  const end = { state: 'succeeded', patch, result: { to: host.name }, error: null, settled: [], left: [] };
  await launching.finishOperation(envelope({ owner, ...end }));
}
