/** What an operation or a runbook would do: told without doing it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFilledPlace, type Place } from './drover.js';

let place: Place;
beforeAll(async () => {
  place = await makeFilledPlace();
});
afterAll(() => place.remove());

test('tell the host chosen, and why no other', async () => {
  const { stdout, exitCode } = await place.drover([
    'instance',
    'live-migrate',
    '11111111-0000-4000-8000-000000000000',
    '--dry-run',
    '-o',
    'json',
  ]);
  expect(JSON.parse(stdout)).toEqual({
    operation: 'live-migrate',
    subject: 'web',
    allowed: false,
    refusals: [expect.objectContaining({ code: 'NoValidHost' })],
    would: null,
    expected: null,
    placement: {
      host: null,
      others: [],
      rejected: [
        { host: 'alpha', filter: 'source', reason: 'the instance is there now', temporary: false },
        {
          host: 'beta',
          filter: 'memory',
          reason: 'needs 1024 MiB, 64 MiB free of 1088 MiB',
          temporary: false,
        },
      ],
    },
    notes: [expect.stringContaining('not checked whether another operation runs')],
  });
  expect(exitCode).toBe(3);
});

test('apply the rules of the operation: state', async () => {
  const ran = await place.drover(['instance', 'stop', 'db', '--dry-run']);
  expect(ran.stdout).toContain('stop of db: would be refused; nothing was done');
  expect(ran.stderr).toContain('stop takes an instance that is active or error; db is stopped');
  expect(ran.exitCode).toBe(3);
  expect(await place.drover(['instance', 'start', 'db', '--dry-run'])).toMatchObject({ exitCode: 0 });
});

test('of a resize choose a host: its own where the new size fits, told why not else; a flavor that is not there', async () => {
  for (const [name, memory] of [
    ['tiny', '1040'],
    ['huge', '4000000'],
  ] as const)
    await place.drover(['flavor', 'create', name, '--vcpus', '1', '--memory-mib', memory]);
  const dry = async (flavor: string) => {
    const ran = await place.drover([
      'instance',
      'resize',
      '11111111-0000-4000-8000-000000000000',
      '--flavor',
      flavor,
      '--dry-run',
      '-o',
      'json',
    ]);
    return { exitCode: ran.exitCode, told: JSON.parse(ran.stdout) as Record<string, unknown> };
  };
  expect(await dry('tiny')).toMatchObject({
    exitCode: 0,
    told: {
      allowed: true,
      placement: { host: 'alpha' },
      would: expect.stringContaining('on alpha') as string,
    },
  });
  expect(await dry('huge')).toMatchObject({
    exitCode: 3,
    told: {
      refusals: [{ code: 'NoValidHost' }],
      placement: {
        host: null,
        rejected: [
          { host: 'alpha', filter: 'memory' },
          { host: 'beta', filter: 'memory' },
        ],
      },
    },
  });
  expect(await dry('tiniest')).toMatchObject({
    exitCode: 2,
    told: { refusals: [{ code: 'NotFound' }], placement: null },
  });
});

test('list what a runbook would work on', async () => {
  const { stdout, exitCode } = await place.drover([
    'host',
    'drain',
    'alpha',
    '--parallel',
    '4',
    '--dry-run',
    '-o',
    'json',
  ]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    runbook: 'drain-host',
    inputs: { host: 'alpha', parallel: 4 },
    steps: [
      { id: 'disable', items: [] },
      { id: 'move', items: ['cache', 'db', 'web'] },
    ],
  });
});
