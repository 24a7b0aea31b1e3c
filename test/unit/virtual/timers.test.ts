import { expect, test } from 'vitest';
import { seeded } from '../../../virtual/random.js';
import { Timers, type Timer } from '../../../virtual/timers.js';

test('timers fire in the order of their time, then of their making; those called off do not', () => {
  const random = seeded(5);
  const timers = new Timers();
  const made: { timer: Timer; at: number; index: number }[] = [];
  for (let index = 0; index < 2000; index += 1) {
    const at = random.below(300);
    made.push({ timer: timers.add(at, () => undefined), at, index });
  }
  const off = new Set(made.filter(() => random.next() < 0.7));
  for (const { timer } of off) timers.remove(timer);
  const left = made.filter((each) => !off.has(each));
  expect(timers.size).toBe(left.length);
  const fired: number[] = [];
  for (let next = timers.take(); next !== undefined; next = timers.take()) fired.push(next.at);
  expect(fired).toEqual(left.map(({ at }) => at).toSorted((one, other) => one - other));
  expect(timers.size).toBe(0);
});

test('of the same time the first made fires first', () => {
  const timers = new Timers();
  const said: number[] = [];
  for (let index = 0; index < 100; index += 1) timers.add(1, () => said.push(index));
  for (let next = timers.take(); next !== undefined; next = timers.take()) next.fire();
  expect(said).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test('ids are version 4 UUIDs, the same for the same seed', () => {
  const [one, other] = [seeded(9), seeded(9)];
  for (let count = 0; count < 500; count += 1) {
    const id = one.uuid();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(other.uuid()).toBe(id);
  }
});
