/** Twenty seconds of the soak with a fixed seed; that it finds what is wrong, and tells it in a few lines. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCase, writeCase, type Case } from './case.js';
import { ruleOf } from './judge.js';
import { mutants, type Mutant } from './mutants.js';
import { play } from './play.js';
import { randomCase } from './random-case.js';
import { shrink } from './shrink.js';

const seconds = 20;

test(`${seconds} s of random cases break nothing`, { timeout: 120_000 }, async () => {
  const until = Date.now() + seconds * 1000;
  let cases = 0;
  for (let seed = 1; Date.now() < until; seed += 1) {
    const { wrong } = await play(randomCase(seed));
    expect(wrong, `npm run soak -- --seed ${seed} --runs 1`).toEqual([]);
    cases += 1;
  }
  expect(cases).toBeGreaterThan(0);
});

/** A step of a run that was reset comes when its guest's host answers again: found by chance once, and rare. */
const lateStep = readCase(readFileSync(new URL('./late-step.yaml', import.meta.url), 'utf8'));

test.each<[keyof typeof mutants, Case]>([
  ['undo-dropped', randomCase(1)],
  ['epoch-ignored', lateStep],
])('the mutant %s is found, and shrunk to a few actions', { timeout: 180_000 }, async (name, one) => {
  const mutant = mutants[name];
  const { wrong } = await play(one, { mutant });
  expect(wrong).not.toEqual([]);
  expect((await play(one)).wrong).toEqual([]);
  const shrunk = await shrink(one, wrong, (some) => play(some, { mutant }));
  expect(shrunk.one.actions.length).toBeLessThanOrEqual(4);
  expect(shrunk.one.hosts.length + shrunk.one.instances.length).toBeLessThanOrEqual(4);
  await stillFails(shrunk.one, mutant, ruleOf(wrong[0] ?? ''));
});

/** Written and read again it is the same case, and breaks the same rule each time. */
async function stillFails(one: Case, mutant: Mutant, rule: string): Promise<void> {
  const text = writeCase(one, ['found by chance']);
  expect(readCase(text)).toEqual(one);
  const first = await play(readCase(text), { mutant, log: true });
  const second = await play(readCase(text), { mutant, log: true });
  expect(first.wrong.map(ruleOf)).toContain(rule);
  expect(second).toEqual(first);
}

test('a case is played the same way each time', async () => {
  const one = randomCase(7);
  expect(await play(one, { log: true })).toEqual(await play(one, { log: true }));
});
