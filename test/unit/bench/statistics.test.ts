import { describe, expect, it } from 'vitest';
import { compare, median } from '../../../bench/statistics.js';
import { medianPhases, phasesOf } from '../../../bench/phases.js';

describe('what a benchmark tells', () => {
  it('takes the middle, or the mean of the two in the middle, in whatever order they come', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 2, 4])).toBe(3);
    expect(median([7])).toBe(7);
    expect(() => median([])).toThrow('no samples');
  });

  it('gives one object a line, its ratio that of the medians', () => {
    const about = { bench: 'step', case: 'total', unit: 'ms' };
    const row = compare(about, { ours: [11.004, 10, 900], baseline: [10, 8.126, 12] });
    expect(JSON.parse(JSON.stringify(row))).toEqual({
      bench: 'step',
      case: 'total',
      ours: 11,
      baseline: 10,
      ratio: 1.1,
      unit: 'ms',
      n: 3,
      spread: { ours: [10, 900], baseline: [8.13, 12] },
    });
  });

  it('refuses sides that were not measured alike', () => {
    const about = { bench: 'step', case: 'total', unit: 'ms' };
    expect(() => compare(about, { ours: [1, 2], baseline: [1] })).toThrow(RangeError);
  });
});

describe('where the time of an operation goes', () => {
  const at = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 });
  const scheduled = (eventId: number, ms: number, name: string) => ({
    eventId,
    eventTime: at(ms),
    activityTaskScheduledEventAttributes: { activityType: { name } },
  });
  const completed = (eventId: number, ms: number, scheduledEventId: number) => ({
    eventId,
    eventTime: at(ms),
    activityTaskCompletedEventAttributes: { scheduledEventId },
  });
  // What it asks of a history; the numbers of a real one are Longs.
  const history = {
    events: [
      { eventId: 1, eventTime: at(990) },
      scheduled(2, 1000, 'admit'),
      completed(3, 1010, 2),
      scheduled(4, 1020, 'migrateGuest'),
      completed(5, 2020, 4),
      scheduled(6, 2030, 'admit'),
      completed(7, 2035, 6),
      { eventId: 8, eventTime: at(2040) },
    ],
  } as unknown as Parameters<typeof phasesOf>[0];

  it('adds activities up by name and leaves no millisecond out', () => {
    const phases = phasesOf(history, 1100);
    expect(phases).toEqual({
      admit: 15,
      migrateGuest: 1000,
      'between activities': 35,
      'start and answer': 50,
    });
  });

  it('takes the median of each, where one was missing as nothing', () => {
    expect(medianPhases([{ a: 1 }, { a: 3, b: 4 }, { a: 2 }])).toEqual({ a: 2, b: 0 });
  });
});
