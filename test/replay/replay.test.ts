/**
 * Every history that was ever stored still replays: a workflow that runs somewhere goes on with the code of
 * today. Histories are never regenerated; see CONTRIBUTING.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, test } from 'vitest';
import { languageVersions } from '../../model/runbook.js';
import { operations } from '../../workflows/catalogue.js';
import { askNames } from '../../workflows/run-control.js';
import { bundleWorkflows, quietRuntime } from '../temporal/bundle.js';

interface Event {
  eventType: string;
  workflowExecutionStartedEventAttributes?: {
    workflowId: string;
    workflowType: { name: string };
    input?: { payloads: { data: string }[] };
  };
  workflowExecutionUpdateAcceptedEventAttributes?: { acceptedRequest: { input: { name: string } } };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
}
interface History {
  events: Event[];
}

const folder = join(import.meta.dirname, 'histories');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));
const read = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as History;
const started = ({ events }: History) => events[0]?.workflowExecutionStartedEventAttributes;

/** The language of the runbook that a run was started with. */
function languageOf(history: History): unknown {
  const [payload] = started(history)?.input?.payloads ?? [];
  const order = JSON.parse(Buffer.from(payload?.data ?? '', 'base64').toString()) as {
    plan?: { language: unknown };
  };
  return order.plan?.language;
}
const updateOf = ({ workflowExecutionUpdateAcceptedEventAttributes: accepted }: Event): string[] =>
  accepted ? [accepted.acceptedRequest.input.name] : [];

let bundle: { code: string };
beforeAll(async () => {
  quietRuntime();
  bundle = await bundleWorkflows();
});

/** The workflow id is part of what a workflow sees: the ids of its children are made from it. */
const replay = (history: History) =>
  Worker.runReplayHistory({ workflowBundle: bundle }, history, started(history)?.workflowId ?? '');

test.each(names)('%s replays', async (name) => {
  const history = read(name);
  expect(name.startsWith(`${started(history)?.workflowType.name}.`)).toBe(true);
  await replay(history);
});

describe('there is a stored history', () => {
  test.each([
    ...operations.keys(),
    'run-runbook',
    'run-batch',
    'janitor',
    'read-serial-log',
    'scheduled-run',
  ])('of %s that succeeded', (type) => {
    expect(names).toContain(`${type}.succeeded`);
    expect(read(`${type}.succeeded`).events.at(-1)?.eventType).toBe(
      'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED',
    );
  });

  const endings = {
    'instance.live-migrate.failed': 'FAILED',
    'instance.live-migrate.cancelled': 'CANCELED',
    'instance.live-migrate.aborted': 'FAILED',
    'instance.live-migrate.force-completed': 'COMPLETED',
    'instance.live-migrate.terminated': 'TERMINATED',
    'instance.stop.reconciled': 'COMPLETED',
    'instance.repair.terminated-then-repaired': 'COMPLETED',
    'janitor.terminated-then-repaired': 'COMPLETED',
    'run-runbook.cancelled': 'CANCELED',
    'run-runbook.failed': 'FAILED',
    'run-runbook.2-everything': 'COMPLETED',
    'run-runbook.2-rejected': 'FAILED',
    'run-runbook.2-sub-runbook-cancelled': 'CANCELED',
  };
  test.each(Object.entries(endings))('%s, which ended %s', (name, end) => {
    expect(read(name).events.at(-1)?.eventType).toBe(`EVENT_TYPE_WORKFLOW_EXECUTION_${end}`);
  });

  const steps = (name: string) =>
    read(name).events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType.name ?? []);

  test('of each language, and of all that people ask of a run', () => {
    const languages = names
      .filter((name) => name.startsWith('run-runbook.'))
      .map((name) => languageOf(read(name)));
    expect(new Set(languages)).toEqual(new Set(languageVersions));
    const asked = names
      .filter((name) => name.startsWith('run-'))
      .flatMap((name) => read(name).events.flatMap(updateOf));
    expect(new Set(asked)).toEqual(new Set(askNames));
  });

  test('of what people ask of an operation', () => {
    const asked = ['aborted', 'force-completed'].flatMap((end) =>
      read(`instance.live-migrate.${end}`).events.flatMap(updateOf),
    );
    expect(asked).toEqual(['abort', 'force-complete']);
  });

  test('of every way through the wrapper', () => {
    expect(steps('instance.live-migrate.failed')).toContain('startUnwind');
    expect(steps('instance.live-migrate.failed')).toContain('undoMigrate');
    expect(steps('instance.stop.reconciled')).toEqual(
      expect.arrayContaining(['undoMigrate', 'reconciled', 'stopGuest']),
    );
    expect(steps('instance.repair.terminated-then-repaired')).toContain('reconciled');
  });
});

describe('a workflow that would do something else is found', () => {
  const scheduled = ({ events }: History) =>
    events.filter((event) => event.activityTaskScheduledEventAttributes);

  test('in the order of its steps', async () => {
    const history = read('instance.live-migrate.succeeded');
    const [, one, other] = scheduled(history);
    const attributes = one?.activityTaskScheduledEventAttributes;
    Object.assign(one ?? {}, {
      activityTaskScheduledEventAttributes: other?.activityTaskScheduledEventAttributes,
    });
    Object.assign(other ?? {}, { activityTaskScheduledEventAttributes: attributes });
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });

  test('in a step that it does not know', async () => {
    const history = read('instance.stop.succeeded');
    const step = scheduled(history).at(-1)?.activityTaskScheduledEventAttributes;
    if (step) step.activityType.name = 'somethingElse';
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });

  test('in the workflow id, from which children are named', async () => {
    const history = read('run-runbook.succeeded');
    await expect(Worker.runReplayHistory({ workflowBundle: bundle }, history, 'other/run/1')).rejects.toThrow(
      DeterminismViolationError,
    );
  });
});
