/** What is concluded from what was seen, and above all what is not. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Signal, Testimony } from '../../../model/incident.js';
import { judge, type Seen } from '../../../workflows/recovery/verdict.js';

type Sight = Signal['seen'];

function testimony(vantage: string, hypervisor: Sight, network: Sight, answered = 2): Testimony {
  return {
    vantage,
    at: '2026-01-01T00:00:00.000Z',
    signals: [
      { signal: 'hypervisor', seen: hypervisor, detail: 'h' },
      { signal: 'network', seen: network, detail: 'n' },
    ],
    isolated: answered === 0,
    controls: { asked: 2, answered },
  };
}

const of = (testimonies: Testimony[], more: Partial<Seen> = {}) =>
  judge({ host: 'h1', testimonies, unheard: [], signs: [], ...more });
const silent = (vantage: string, answered = 2) => testimony(vantage, 'silent', 'silent', answered);
const worker: Signal = { signal: 'worker', seen: 'answers', detail: 'its worker takes tasks' };

describe('one sentence tells who saw what', () => {
  test.each([
    [
      'both silent',
      of([silent('north'), silent('south')]),
      'down',
      'north and south see other hosts, and no sign of life of h1',
    ],
    [
      'one of them hears the hypervisor',
      of([silent('north'), testimony('south', 'answers', 'answers')]),
      'alive',
      'the hypervisor of h1 answers south',
    ],
    [
      'the network answers one of them',
      of([testimony('north', 'silent', 'answers'), silent('south')]),
      'hung',
      'its network answers north',
    ],
    [
      'only its worker lives',
      of([silent('north'), silent('south')], { signs: [worker] }),
      'hung',
      'its worker takes tasks',
    ],
    [
      'one is cut off itself',
      of([silent('north'), silent('south', 0)]),
      'unclear',
      'only north sees no sign of life of h1; south sees none of 2 other hosts either: it is cut off itself',
    ],
    [
      'one says nothing',
      of([silent('north')], { unheard: [{ vantage: 'south', why: 'no worker' }] }),
      'unclear',
      'south said nothing (no worker)',
    ],
    [
      'one alone',
      of([silent('north')]),
      'unclear',
      'only north is configured: name them under `recovery: vantages:`',
    ],
    ['none', of([]), 'unclear', 'none is configured'],
    [
      'two of three',
      of([silent('north'), silent('south'), silent('west', 0)]),
      'down',
      '(not counted: west sees none of 2 other hosts either: it is cut off itself)',
    ],
    [
      'nobody to compare with',
      of([1, 2].map((n) => ({ ...silent(`v${n}`), controls: { asked: 0, answered: 0 } }))),
      'unclear',
      'v1 has no other host to compare with',
    ],
    [
      'who can not ask the network is no witness',
      of([silent('north'), testimony('south', 'silent', 'none')]),
      'unclear',
      'south could not ask its network',
    ],
  ])('%s', (_case, verdict, kind, says) => {
    expect(verdict.verdict).toBe(kind);
    expect(verdict.says).toContain(says);
  });
});

const sight = fc.constantFrom<Sight>('answers', 'silent', 'none');
const anyTestimony = fc
  .record({
    vantage: fc.constantFrom('north', 'south', 'west'),
    hypervisor: sight,
    network: sight,
    answered: fc.nat(2),
    isolated: fc.boolean(),
  })
  .map(({ vantage, hypervisor, network, answered, isolated }) => ({
    ...testimony(vantage, hypervisor, network, answered),
    isolated,
  }));
const anySigns = fc.array(
  fc.record({
    signal: fc.constantFrom<Signal['signal']>('worker', 'storage'),
    seen: sight,
    detail: fc.constant('x'),
  }),
  { maxLength: 2 },
);

/** By the word of the model alone, apart from how it is judged. */
const saysNothing = ({ signals }: Testimony): boolean => signals.every(({ seen }) => seen !== 'answers');

describe('whatever is told', () => {
  const all = fc.tuple(fc.array(anyTestimony, { maxLength: 6 }), anySigns);

  test('down takes two different vantage points that see others, and no sign of life from anybody', () => {
    fc.assert(
      fc.property(all, ([testimonies, signs]) => {
        const { verdict, testimonies: heard } = of(testimonies, { signs });
        if (verdict !== 'down') return;
        const sound = heard.filter((one) => !one.isolated && one.controls.answered > 0);
        expect(new Set(sound.map(({ vantage }) => vantage)).size).toBeGreaterThanOrEqual(2);
        expect(heard.every(saysNothing)).toBe(true);
        expect(signs.every(({ seen }) => seen !== 'answers')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('one vantage point, however often it speaks, and those that are cut off conclude nothing', () => {
    fc.assert(
      fc.property(fc.array(anyTestimony, { maxLength: 6 }), fc.nat(2), (testimonies, answered) => {
        const alone = testimonies.map((one) => ({ ...one, vantage: 'north' }));
        expect(of(alone).verdict).not.toBe('down');
        const blind = testimonies.map((one) => ({ ...one, isolated: true }));
        expect(of(blind).verdict).not.toBe('down');
        expect(of([...blind, silent('east', answered)]).verdict).not.toBe('down');
      }),
      { numRuns: 2000 },
    );
  });

  test('more life never makes it look more dead', () => {
    const rank = { down: 0, unclear: 1, hung: 2, alive: 3 } as const;
    fc.assert(
      fc.property(all, anyTestimony, ([testimonies, signs], more) => {
        const lives = { ...testimony(`${more.vantage}-2`, 'answers', more.signals[1]?.seen ?? 'none') };
        const before = of(testimonies, { signs }).verdict;
        expect(rank[of([...testimonies, lives], { signs }).verdict]).toBeGreaterThanOrEqual(rank[before]);
      }),
    );
  });
});
