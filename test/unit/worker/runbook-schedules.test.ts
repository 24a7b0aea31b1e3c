import { expect, test } from 'vitest';
import type { ScheduleTrigger } from '../../../model/triggers.js';
import { planSchedules, type KeptSchedule } from '../../../worker/runbook-schedules.js';

const kept = (schedule: string, more: Partial<ScheduleTrigger> = {}, queue = 'q'): KeptSchedule => {
  const trigger = {
    name: 'x',
    timezone: 'UTC',
    overlap: 'skip',
    'catch-up': '1m',
    inputs: {},
    ...more,
  } as const;
  return { order: { schedule, runbook: schedule.split('.')[0] ?? '', trigger, by: null }, queue };
};
const present = (...all: KeptSchedule[]) => new Map(all.map((one) => [one.order.schedule, one]));

test('what is wanted is made, what changed is updated, what is gone is removed, and nothing else is touched', () => {
  const wanted = [
    kept('a.new'),
    kept('a.same'),
    kept('a.other', { every: '2h' }),
    kept('a.moved', {}, 'recovery'),
  ];
  const there = present(
    kept('a.same'),
    kept('a.other', { every: '1h' }),
    kept('a.moved'),
    kept('a.gone'),
    kept('gone.night'),
    kept('broken.night'),
  );
  const { create, update, remove } = planSchedules(wanted, there, new Set(['broken']));
  expect(create.map(({ order }) => order.schedule)).toEqual(['a.new']);
  expect(update.map(({ order }) => order.schedule)).toEqual(['a.other', 'a.moved']);
  expect(remove).toEqual(['a.gone', 'gone.night']);
  const after = present(...wanted, kept('broken.night'));
  expect(planSchedules(wanted, after, new Set(['broken']))).toEqual({ create: [], update: [], remove: [] });
});
