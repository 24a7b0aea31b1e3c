/** `npm run soak`: see docs/soak.md. */
import { parseArgs } from 'node:util';
import { writeCase } from './case.js';
import { shrink } from './shrink.js';
import { play } from './play.js';
import { randomCase } from './random-case.js';
import { ruleOf } from './judge.js';

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '1' },
      runs: { type: 'string' },
      log: { type: 'boolean', default: false },
      shrink: { type: 'boolean', default: false },
    },
  });
  const until = Date.now() + Number(values.minutes) * 60_000;
  const most = values.runs === undefined ? Infinity : Number(values.runs);
  const first = Number(values.seed);
  const rules = new Map<string, number[]>();
  let n = 0,
    ops = 0,
    runs = 0,
    virt = 0;
  for (let seed = first; seed - first < most && Date.now() < until; seed += 1) {
    const began = Date.now();
    const played = await play(randomCase(seed), { log: values.log });
    n += 1;
    ops += played.operations;
    runs += played.runs;
    virt += played.virtualMs;
    if (values.log) console.log(played.log);
    for (const rule of new Set(played.wrong.map(ruleOf))) rules.set(rule, [...(rules.get(rule) ?? []), seed]);
    if (played.wrong.length)
      console.log(
        seed,
        Date.now() - began,
        played.wrong.map((w) => w.slice(0, 400)),
      );
    if (values.shrink && played.wrong.length) {
      const s = await shrink(randomCase(seed), played.wrong);
      console.log(writeCase(s.one, s.wrong), s.plays);
      console.log(
        (await play(s.one, { log: true })).log
          .split('\n')
          .filter((l) => !l.includes(' janitor: '))
          .join('\n'),
      );
    }
  }
  console.log(n, ops, runs, virt / 3.6e6);
  for (const [rule, seeds] of rules) console.log(seeds.length, rule, seeds.slice(0, 8).join(' '));
  return 0;
}
