/** Half a minute of random outages with a fixed seed; that they find what is wrong with a recovery. */
import { expect, test } from 'vitest';
import type { Action, Case } from './case.js';
import { ruleOf } from './judge.js';
import { mutants } from './mutants.js';
import { play } from './play.js';
import { randomOutage } from './random-outage.js';

const seconds = 30;

test(`${seconds} s of random outages: no guest runs twice, nothing is fenced or lost that may not`, async () => {
  const until = Date.now() + seconds * 1000;
  let cases = 0;
  for (let seed = 1; Date.now() < until; seed += 1) {
    const { wrong } = await play(randomOutage(seed));
    expect(wrong, `npm run soak -- --outages --seed ${seed} --runs 1`).toEqual([]);
    cases += 1;
  }
  expect(cases).toBeGreaterThan(0);
}, 180_000);

/** Three hosts, a guest on each; what strikes the first, and who is asked to recover what. */
function outage(state: 'active' | 'paused', actions: Action[]): Case {
  const hosts = [1, 2, 3, 4].map((n) => ({
    name: `host-${n}`,
    rack: 'rack-1',
    slots: 2,
    zone: null,
    small: false,
  }));
  const instances = [1, 2, 3].map((n) => ({
    name: `vm-${n}`,
    host: `host-${n}`,
    state,
    local: false,
    dirty: 0,
    vcpus: 1,
    'memory-mib': 1024,
  }));
  const budget = { zone: 1, fleet: 1, windowSeconds: 3600 };
  const rules = { hung: 'ask' as const, readmit: 'manual' as const, settleSeconds: 0, budget };
  return { seed: 1, hosts, instances, rules, actions, heal: 400 };
}
const cut = (host: string): Action => ({ at: 1, do: 'fault', fault: { do: 'partition', hosts: [host] } });
const lies: Action = { at: 1, do: 'fault', fault: { do: 'bmc', hosts: ['host-1'], state: 'lie' } };
const recover = (host: string, at = 60): Action => ({
  at,
  do: 'operation',
  id: `op-${host}`,
  uses: 'host.recover',
  with: { host },
});

test.each<[keyof typeof mutants, string, Case]>([
  // Paused guests write nothing: only the device tells that they are gone.
  ['evidence-ignored', 'it ran twice', outage('paused', [cut('host-1'), recover('host-1')])],
  ['witness-ignored', 'it ran twice', outage('active', [cut('host-1'), lies, recover('host-1')])],
  [
    'budget-ignored',
    'fenced beyond the budget',
    outage('active', [cut('host-1'), cut('host-2'), recover('host-1'), recover('host-2', 90)]),
  ],
])('the mutant %s is found: %s', { timeout: 120_000 }, async (name, rule, one) => {
  expect((await play(one)).wrong).toEqual([]);
  const { wrong } = await play(one, { mutant: mutants[name] });
  expect(wrong.map(ruleOf)).toContain(rule);
});
