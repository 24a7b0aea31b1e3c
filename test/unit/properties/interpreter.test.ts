/** The interpreter in virtual time: random runbooks on random worlds, with troubles and people. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyRunbook, undoneRunbook } from './runbooks.js';
import { anyTrouble, onlyCancel, play, quiet, type Played } from './play.js';
import { rules } from './rules.js';

/** Another seed, or more runs: DROVER_PROPERTY_SEED, DROVER_PROPERTY_RUNS. */
const seed = Number(process.env['DROVER_PROPERTY_SEED'] ?? 20261122);
const numRuns = Number(process.env['DROVER_PROPERTY_RUNS'] ?? 60);
const options = { seed, numRuns, endOnFailure: false };

const brokenBy = (played: Played): string[] =>
  Object.entries(rules).flatMap(([name, rule]) => rule(played).map((what) => `${name}: ${what}`));

test('whatever is run and whatever happens, what must hold holds', async () => {
  await fc.assert(
    fc.asyncProperty(anyRunbook, anyTrouble, async (tree, trouble) => {
      expect(brokenBy(await play(tree, trouble))).toEqual([]);
    }),
    options,
  );
}, 300_000);

test('what is cancelled and taken back is as it was before', async () => {
  await fc.assert(
    fc.asyncProperty(undoneRunbook, onlyCancel, async (tree, trouble) => {
      const played = await play(tree, trouble);
      expect(brokenBy(played)).toEqual([]);
      if (played.record.state === 'cancelled') expect(played.after).toEqual(played.before);
    }),
    options,
  );
}, 300_000);

test('the same seed gives the same log', async () => {
  await fc.assert(
    fc.asyncProperty(anyRunbook, anyTrouble, async (tree, trouble) => {
      const { log } = await play(tree, trouble);
      expect((await play(tree, trouble)).log).toBe(log);
    }),
    { ...options, numRuns: Math.ceil(numRuns / 5) },
  );
}, 300_000);

describe('each rule can be broken', () => {
  const tree = {
    name: 'random',
    description: 'For the rules.',
    steps: [
      {
        id: 's1',
        uses: 'instance.pause',
        'for-each': ['vm-1', 'vm-4', 'vm-2', 'vm-5'],
        'max-parallel': 2,
        'max-failures': 1,
        with: { instance: '${{ item }}' },
        retry: { attempts: 2, backoff: '5s', factor: 1, 'max-backoff': '5s', on: ['WrongState'] },
      },
    ],
    'on-failure': [{ id: 's2', wait: '1s' }],
    finally: [{ id: 's3', uses: 'host.disable', with: { host: 'host-1', reason: 'x' } }],
  };
  const changed = async (change: (played: Played) => void): Promise<string[]> => {
    const played = await play(tree, quiet);
    expect(brokenBy(played)).toEqual([]);
    change(played);
    return Object.entries(rules).flatMap(([name, rule]) => (rule(played).length > 0 ? [name] : []));
  };
  const step = ({ record }: Played, id: string) => record.steps.find((one) => one.id === id);

  test.each<[string, (played: Played) => void]>([
    ['recordTellsTheEnd', ({ record }) => Object.assign(record, { state: 'succeeded' })],
    ['countsAreTrue', (played) => Object.assign(step(played, 's1') ?? {}, { done: 4 })],
    ['countsAreTrue', ({ children }) => void children.splice(0, 1)],
    [
      'neverTooManyAtOnce',
      ({ children }) => children.forEach((child) => Object.assign(child, { ended: 99 })),
    ],
    [
      'stopsAtTheLimit',
      ({ items, runbook }) => {
        items.forEach((item) => Object.assign(item, { state: 'failed' }));
        Object.assign(runbook.steps[0] ?? {}, { 'max-failures': 0 });
      },
    ],
    ['standsWhilePaused', ({ pauses }) => void pauses.push({ from: 0, to: null })],
    ['finallyAlways', (played) => Object.assign(step(played, 's3') ?? {}, { state: 'pending' })],
    [
      'retriesAsWritten',
      ({ runbook }) => Object.assign(runbook.steps[0]?.retry ?? {}, { backoff: '9s', 'max-backoff': '9s' }),
    ],
    ['failureLeadsWhereWritten', (played) => Object.assign(step(played, 's1') ?? {}, { state: 'pending' })],
    ['timeoutsStayAtHome', (played) => Object.assign(step(played, 's1') ?? {}, { state: 'cancelled' })],
  ])('%s', async (name, change) => {
    expect(await changed(change)).toContain(name);
  });
});
