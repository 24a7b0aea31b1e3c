/** What is told of runs that ended, and what is refused then: all of it by rows, without Temporal. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordRunAction } from '../../../activities/inventory/run-actions.js';
import { recordItems } from '../../../activities/inventory/run-items.js';
import { finishRun, startRun } from '../../../activities/inventory/runs.js';
import { pendingStep, type RunFinish, type RunItemRecord } from '../../../model/run.js';
import { LANGUAGE_VERSION, runbookSchema } from '../../../model/runbook.js';
import { makePlace, type Place } from './drover.js';

let place: Place;
const id = (digit: string): string => `${digit.repeat(8)}-0000-4000-8000-000000000000`;
const [failed, part, good, again] = [id('a'), id('b'), id('c'), id('d')];

const runbook = runbookSchema.parse({
  name: 'reboot-all',
  description: 'A test.',
  inputs: { host: { type: 'host' } },
  steps: [
    { id: 'close', uses: 'host.disable', with: { host: '${{ inputs.host }}', reason: 'x' } },
    { id: 'reboot', uses: 'instance.reboot', 'for-each': { query: 'instances' } },
    { id: 'open', uses: 'host.enable', with: { host: '${{ inputs.host }}' } },
  ],
});

const item = (key: string, state: RunItemRecord['state'], message?: string): RunItemRecord => ({
  key,
  label: `vm-${key}`,
  state,
  error: message === undefined ? null : { code: 'HypervisorError', message, details: {}, hint: '' },
  result: null,
});

beforeAll(async () => {
  place = makePlace();
  await place.inventory(async (inventory) => {
    const about = {
      runbook: 'reboot-all',
      digest: 'd'.repeat(64),
      source: '',
      inputs: { host: 'alpha' },
      by: 'ann',
    };
    const plan = {
      language: LANGUAGE_VERSION,
      name: 'reboot-all',
      digest: about.digest,
      source: '',
      runbook,
    } as const;
    const ends: Omit<RunFinish, 'id' | 'state'> = { steps: [], undone: [], outputs: {}, error: null };
    await startRun(inventory, { ...about, id: failed, plan });
    await startRun(inventory, {
      ...about,
      id: part,
      runbook: 'inner',
      parent: { run: failed, step: 'open' },
    });
    const items = [
      ...Array.from({ length: 30 }, (_, index) => item(`n${index}`, 'not-started')),
      item('ok', 'done'),
      item('bad', 'failed', 'it does not boot'),
    ];
    await recordItems(inventory, { run: failed, step: 'reboot', attempt: 1, items });
    await recordItems(inventory, { run: failed, step: 'close', attempt: 1, items: [item('close', 'done')] });
    const action = { run: failed, step: 'reboot', details: {}, id: 'x' };
    await recordRunAction(inventory, { ...action, by: 'bob', action: 'approve', comment: 'go on' });
    const left = items.filter(({ state }) => state !== 'done');
    const steps = [
      { ...pendingStep('close', 'Close alpha'), state: 'succeeded' as const, done: 1, total: 1 },
      {
        ...pendingStep('reboot', 'Reboot'),
        state: 'failed' as const,
        done: 1,
        failed: 1,
        total: 32,
        items: left,
      },
      pendingStep('open', 'host.enable'),
    ];
    const error = { code: 'RunFailed' as const, message: 'Reboot: 31 of 32 remain', details: {}, hint: '' };
    await finishRun(inventory, { ...ends, id: part, state: 'rejected' });
    await finishRun(inventory, { ...ends, id: failed, state: 'failed', steps, error });
    await startRun(inventory, { ...about, id: good, plan });
    await finishRun(inventory, { ...ends, id: good, state: 'succeeded' });
  });
});

afterAll(() => place.remove());

test('run list: runs that are no part of another; with --parts all', async () => {
  const listed = async (...args: string[]) =>
    (JSON.parse((await place.drover(['run', 'list', ...args, '--json', 'id'])).stdout) as { id: string }[])
      .map((run) => run.id)
      .toSorted();
  expect(await listed()).toEqual([failed, good]);
  expect(await listed('--parts')).toEqual([failed, part, good]);
  expect(await listed('--parts', '--state', 'rejected')).toEqual([part]);
});

test('run show: who did what, its parts, what had trouble, what a retry would do', async () => {
  const { stdout } = await place.drover(['run', 'show', 'aaaa']);
  expect(stdout).toContain('step close: succeeded, Close alpha');
  expect(stdout).toContain('step reboot: failed, 1 of 32 done, 1 failed, Reboot\n  vm-n0: not started');
  expect(stdout).toContain(
    `\n  and 11 more: drover run show ${failed} --items --step reboot\nstep open: pending`,
  );
  expect(stdout).toContain(`runs that are steps of it:\n  open: inner, run ${part}: rejected`);
  expect(stdout).toMatch(
    /who did what:\n {2}\S+ ann started it\n {2}\S+ bob approved step reboot: "go on"\n/,
  );
  expect(stdout).toContain(
    `\`drover run retry ${failed}\` would do:\n  close: taken over\n  reboot: 31 items that are not done\n  open: all of it`,
  );
});

test('run show --items: all of them, or those in a state', async () => {
  const all = await place.drover(['run', 'show', 'aaaa', '--items', '--json', 'key,state']);
  expect(JSON.parse(all.stdout)).toHaveLength(33);
  const bad = await place.drover(['run', 'show', 'aaaa', '--items', '--state', 'failed', '-o', 'json']);
  expect(JSON.parse(bad.stdout)).toMatchObject([
    { step: 'reboot', key: 'bad', label: 'vm-bad', attempt: 1, error: { message: 'it does not boot' } },
  ]);
  const table = await place.drover(['run', 'show', 'aaaa', '--items', '--state', 'failed']);
  expect(table.stdout).toMatch(
    /^STEP +ITEM +STATE +TRIED +RECORDED +RESULT\nreboot +vm-bad +failed +1 +\S+ +it does not boot$/,
  );
  const none = await place.drover(['run', 'show', 'cccc', '--items']);
  expect(none.stdout).toBe('no items so far');
});

test('run retry --dry-run tells what it would do', async () => {
  const { stdout } = await place.drover(['run', 'retry', 'aaaa', '--dry-run']);
  expect(stdout).toContain(
    `would try run ${failed} again: reboot-all host=alpha, as it was then; nothing was done`,
  );
  expect(stdout).toContain('\n    vm-bad: failed: it does not boot\n');
  const json = await place.drover(['run', 'retry', 'aaaa', '--dry-run', '-o', 'json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    retryOf: failed,
    steps: [{ does: 'kept' }, { does: 'items', items: expect.any(Array) as unknown[] }, { does: 'all' }],
  });
});

test.each([
  [
    ['retry', 'cccc'],
    `run ${good} succeeded: there is nothing to try again`,
    'drover runbook run reboot-all --input host=alpha',
  ],
  [
    ['retry', 'bbbb'],
    `run ${part} is step open of run ${failed}: only the whole is tried again`,
    `drover run retry ${failed}`,
  ],
  [['approve', 'aaaa'], `run ${failed} does not run any more (failed at `, `drover run show ${failed}`],
  [
    ['cancel', 'cccc', '--no-undo'],
    `run ${good} does not run any more (succeeded at `,
    `drover run show ${good}`,
  ],
])('refused, and told what to do instead: drover run %j', async (args, message, hint) => {
  const { exitCode, stderr, stdout } = await place.drover(['run', ...args]);
  expect(stderr).toContain(`drover: ${message}`);
  expect(stderr).toContain(hint);
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
});

test('a run that was tried again tells by which, and is not tried again twice', async () => {
  await place.inventory((inventory) =>
    startRun(inventory, {
      id: again,
      runbook: 'reboot-all',
      digest: '',
      source: '',
      inputs: {},
      by: 'bob',
      retryOf: failed,
    }),
  );
  const { stdout } = await place.drover(['run', 'show', 'aaaa']);
  expect(stdout).toContain(`tried again  by run ${again} (running)`);
  expect(stdout).toContain(`bob had it tried again as run ${again}`);
  const { stderr } = await place.drover(['run', 'retry', 'aaaa']);
  expect(stderr).toBe(
    `drover: run ${failed} is tried again already, by run ${again} (running)\n  -> follow it with \`drover run watch ${again}\``,
  );
});

test('a viewer may look, and nothing else', async () => {
  const viewer = makePlace('cloud: test\nidentity: { name: eve, role: viewer }\n');
  for (const action of ['approve', 'reject', 'pause', 'resume', 'cancel', 'retry']) {
    const { exitCode, stderr } = await viewer.drover(['run', action, failed]);
    expect(stderr).toContain('drover: eve has the role viewer, which may only look');
    expect(exitCode).toBe(3);
  }
  viewer.remove();
});
