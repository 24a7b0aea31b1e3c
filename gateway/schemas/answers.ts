/** What the API answers, as `drover … -o json` does. */
import { z } from 'zod';
import { failure, time } from './common.js';

const text = z.string();
const maybe = text.nullable();

export const instance = z.looseObject({
  id: text,
  name: text,
  state: text,
  powerState: text,
  task: maybe,
  host: maybe,
  flavor: maybe,
  image: maybe,
  locked: z.boolean(),
  createdAt: time,
  updatedAt: time,
});

export const operation = z.looseObject({
  id: text,
  operation: text,
  state: text,
  host: maybe,
  by: text,
  startedAt: time,
  endedAt: time.nullable(),
  error: failure,
  workflowId: text,
});

export const instanceDetails = instance.extend({
  vcpus: z.int(),
  memoryMiB: z.int(),
  disks: z.array(z.looseObject({})),
  fault: maybe,
  needsRepair: maybe,
  operations: z.array(operation),
});

export const host = z.looseObject({
  name: text,
  state: text,
  enabled: z.boolean(),
  disabledReason: maybe,
  vcpus: z.int(),
  vcpusUsed: z.int(),
  memoryMiB: z.int(),
  memoryMiBUsed: z.int(),
  slots: z.int(),
  instances: z.int(),
  zone: maybe,
});

export const hostDetails = host.extend({ uri: text, instanceList: z.array(instance) });

const step = z.looseObject({ id: text, state: text, done: z.int(), failed: z.int(), total: z.int() });

export const run = z.looseObject({
  id: text,
  runbook: text,
  state: text,
  phase: maybe,
  by: text,
  startedAt: time,
  endedAt: time.nullable(),
  workflowUrl: maybe,
  steps: z.array(step),
});

export const runDetails = run.extend({
  inputs: z.looseObject({}),
  outputs: z.looseObject({}),
  error: failure,
  approval: z.looseObject({}).nullable(),
});

export const startedRun = z.looseObject({
  id: text,
  runbook: text,
  state: z.literal('running'),
  workflowId: text,
  workflowUrl: maybe,
});

export const startedOperation = z.looseObject({
  id: text,
  operation: text,
  subject: text,
  state: text,
  result: z.unknown(),
  workflowId: text,
  workflowUrl: maybe,
});

export const plan = z.looseObject({
  runbook: text,
  digest: text,
  inputs: z.looseObject({}),
  steps: z.array(z.looseObject({})),
});

export const dryRunAnswer = z.looseObject({
  operation: text,
  subject: text,
  allowed: z.boolean(),
  refusals: z.array(z.looseObject({})),
  would: maybe,
  placement: z.looseObject({}).nullable(),
});

export const schedule = z.looseObject({
  name: text,
  runbook: text,
  cron: maybe,
  every: maybe,
  timezone: text,
  paused: z.boolean(),
  note: maybe,
  next: z.array(z.looseObject({ at: time, open: z.boolean() })),
  last: z.looseObject({ at: time, state: text, says: maybe, run: maybe }).nullable(),
  problem: maybe,
});

export const said = z.looseObject({ said: text });

export const runbook = z.looseObject({
  name: text,
  description: maybe,
  inputs: z.looseObject({}),
  on: z.looseObject({}),
  valid: z.boolean(),
});

export const incident = z.looseObject({
  id: text,
  host: text,
  state: text,
  openedAt: time,
  endedAt: time.nullable(),
  waitsFor: maybe,
  instances: z.array(z.looseObject({})).nullable().or(z.unknown()),
});

export const recoverySwitch = z.looseObject({ zone: maybe, mode: text, reason: text, by: text });

export const trailLine = z.looseObject({
  seq: z.int(),
  at: time,
  by: text,
  role: text,
  via: text,
  action: text,
  subject: text,
  outcome: text,
  details: z.looseObject({}),
  hash: text,
});
