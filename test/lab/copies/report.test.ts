import { describe, expect, test } from 'vitest';
import { createReport, ranTwice, type Sample } from './report.js';

const copy = (host: string, pid: number, wrote: string | null = null) => ({ guest: 'db', host, pid, wrote });
const on = ['host1', 'host2'];
const report = (...samples: Sample[]) => {
  const made = createReport();
  for (const sample of samples) made.add(sample);
  return made.report();
};

describe('the report of copies', () => {
  test('one copy, then none, then one on another host whose old one is off: it ran once', () => {
    const seen = report(
      { at: 0, copies: [copy('host1', 7, 'aa')], on },
      { at: 100, copies: [copy('host1', 7, 'aa')], on },
      { at: 200, copies: [], on: ['host2'] },
      { at: 350, copies: [copy('host2', 9, 'aa')], on: ['host2'] },
      { at: 450, copies: [copy('host2', 9, 'bb')], on: ['host2'] },
    );
    expect(ranTwice(seen, 'db')).toEqual([]);
    expect(seen).toMatchObject({ samples: 5, forMs: 450, longestGapMs: 150 });
    expect(seen.guests.get('db')).toEqual({
      lives: [
        { host: 'host1', pid: 7, from: 0, to: 100 },
        { host: 'host2', pid: 9, from: 350, to: 450 },
      ],
      together: [],
      moves: [{ from: 'host1', to: 'host2', nowhereMs: 250, oldHostOn: false }],
      writers: ['aa', 'bb'],
    });
  });

  test('two processes in one sample are two copies, also on one host', () => {
    const two = [copy('host1', 7), copy('host2', 9)];
    const seen = report({ at: 0, copies: two, on }, { at: 100, copies: two, on });
    expect(ranTwice(seen, 'db')).toEqual([
      'db ran on host1 and on host2 at one time, for at least 100 ms',
      'db was seen on host2 with no moment since host1 at which it was on no host',
    ]);
    expect(ranTwice(report({ at: 0, copies: [copy('host1', 7), copy('host1', 8)], on }), 'db')[0]).toContain(
      'host1 and on host1',
    );
  });

  test('what was not seen is no proof: a move without a moment between, a long gap, a guest that never was', () => {
    const quick = report(
      { at: 0, copies: [copy('host1', 7)], on },
      { at: 5000, copies: [copy('host2', 9)], on },
    );
    expect(ranTwice(quick, 'db')).toEqual([
      'nobody looked for 5000 ms: what happened then was not seen',
      'db was seen on host2 with no moment since host1 at which it was on no host',
    ]);
    expect(quick.guests.get('db')?.moves).toMatchObject([{ oldHostOn: true, nowhereMs: 0 }]);
    expect(ranTwice(quick, 'web')).toEqual(['web was never seen, in 2 samples']);
  });

  test('two that write to one disk by turns are two, even where only one is seen at a time', () => {
    const wrote = (at: number, boot: string): Sample => ({ at, copies: [copy('host1', 7, boot)], on });
    expect(ranTwice(report(wrote(0, 'aa'), wrote(100, 'bb'), wrote(200, 'aa')), 'db')).toEqual([
      'boot aa of db wrote to its disk again after bb had',
    ]);
  });
});
