/** A recovery never starves: a drain holds every place that the control workers have, and a host dies. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { controlQueue, recoveryQueue, subjectWorkflowId } from '../../model/addresses.js';
import { defaultRecoveryRules } from '../../model/recovery.js';
import { LANGUAGE_VERSION, runbookSchema } from '../../model/runbook.js';
import { fault, slowLink } from '../unit/workflows/cloud.js';
import { SimulatedCloud } from './simulated.js';
import { begin, beginOther, cloudName, openSite, type Site } from './site.js';
import { until } from './helpers.js';

/** Of one control worker (`activitiesAtOnce`). */
const places = 100;
const drained = 200;
/** A start takes milliseconds; this is for two busy cores. Behind the drain it would take for ever. */
const soonMs = 20_000;

let site: Site;
let cloud: SimulatedCloud;
let workers: Awaited<ReturnType<SimulatedCloud['serve']>> | undefined;
/** Activities that the control worker carries out now. */
let busy = 0;
/** How many those were when each activity of the recovery began. */
const meanwhile: number[] = [];

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());
beforeEach(async () => {
  busy = 0;
  meanwhile.length = 0;
  cloud = await SimulatedCloud.open();
});
afterEach(async () => {
  await workers?.stop();
  await cloud.close();
});

const ofControl = controlQueue(cloudName);

async function counted(_activity: string, work: () => Promise<unknown>, queue: string): Promise<unknown> {
  if (queue !== ofControl) {
    meanwhile.push(busy);
    return work();
  }
  busy += 1;
  return work().finally(() => {
    busy -= 1;
  });
}

/** The live migrations of a drain, which take for ever. */
async function drainForEver(): Promise<WorkflowHandle> {
  for (let index = 0; index < drained; index += 1) await cloud.adopt(`web-${index}`);
  await slowLink(cloud);
  const steps = [
    {
      id: 'move',
      uses: 'instance.live-migrate',
      'for-each': { query: 'instances', with: { host: 'h1' } },
      'max-parallel': places + 20,
      with: { instance: '${{ item.id }}', host: 'h3' },
    },
  ];
  const runbook = runbookSchema.parse({ name: 'drain', description: 'A drain.', steps });
  const plan = { language: LANGUAGE_VERSION, name: 'drain', digest: '0'.repeat(64), source: '', runbook };
  const id = randomUUID();
  return beginOther(site, 'run-runbook', `run/${id}`, {
    id,
    by: 'ann',
    role: 'operator',
    plan,
    inputs: {},
    retry: null,
  });
}

interface Step {
  name: string;
  queue: string;
  /** Until a worker took it; null while none has. */
  waitedMs: number | null;
}

async function stepsOf(handle: WorkflowHandle): Promise<Step[]> {
  const { events } = await handle.fetchHistory();
  const ms = (time: unknown): number => {
    const { seconds, nanos } = time as { seconds: unknown; nanos: number };
    return Number(seconds) * 1000 + nanos / 1e6;
  };
  return (events ?? []).flatMap(({ eventId, eventTime, activityTaskScheduledEventAttributes: asked }) => {
    if (!asked) return [];
    const started = (events ?? []).find(
      (event) => String(event.activityTaskStartedEventAttributes?.scheduledEventId) === String(eventId),
    );
    const waitedMs = started ? ms(started.eventTime) - ms(eventTime) : null;
    return [{ name: asked.activityType?.name ?? '', queue: asked.taskQueue?.name ?? '', waitedMs }];
  });
}

test('its steps start although a drain of 200 instances holds all places', { timeout: 400_000 }, async () => {
  const lost = await cloud.adopt('db-1', { host: 'h2' });
  const other = await cloud.adopt('db-2', { host: 'h3' });
  workers = await cloud.serve(site, counted, { ...defaultRecoveryRules, settleSeconds: 0 });
  const drain = await drainForEver();
  await until('the drain holds all places', () => Promise.resolve(busy === places), 200_000);

  await fault(cloud, { do: 'crash', hosts: ['h2'] });
  const behind = await begin(site, 'instance.pause', { instance: other });
  const recovery = await begin(site, 'host.recover', { host: 'h2', reason: 'the test' });
  await expect(recovery.result()).resolves.toMatchObject({ state: 'recovered' });

  // The control queue was full all the time: what came to it before the recovery still waits for its first step.
  expect(Math.min(...meanwhile)).toBeGreaterThanOrEqual(places - 2);
  expect((await stepsOf(behind))[0]).toMatchObject({ queue: ofControl, waitedMs: null });

  const evacuation = site.client.workflow.getHandle(subjectWorkflowId(cloudName, 'instance.evacuate', lost));
  const steps = [...(await stepsOf(recovery)), ...(await stepsOf(evacuation))];
  const own = steps.filter(({ queue }) => queue === recoveryQueue(cloudName));
  expect(own.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['openIncident', 'fenceOff', 'setFence', 'claimHost', 'startEvacuated']),
  );
  expect(steps.filter(({ queue }) => queue === ofControl)).toEqual([]);
  expect(own.filter(({ waitedMs }) => (waitedMs ?? Infinity) > soonMs)).toEqual([]);
  expect(await cloud.instance(lost)).toMatchObject({ state: 'active' });
  await drain.terminate('the test is over');
});
