/** `npm run soak`: see docs/soak.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readCase, writeCase } from './case.js';
import { mutants } from './mutants.js';
import { play } from './play.js';
import { randomCase } from './random-case.js';
import { randomOutage } from './random-outage.js';
import { writeReport } from './report.js';
import { shrink } from './shrink.js';
import { soakTemporal } from './real/main.js';
import { add, nothing, type Tally } from './tally.js';

const options = {
  seed: { type: 'string', default: '1' },
  minutes: { type: 'string' },
  runs: { type: 'string' },
  mutant: { type: 'string' },
  replay: { type: 'string' },
  report: { type: 'boolean', default: false },
  outages: { type: 'boolean', default: false },
  temporal: { type: 'boolean', default: false },
} as const;

const asked = z.object({
  seed: z.coerce.number().int().min(0),
  minutes: z.coerce.number().positive().optional(),
  runs: z.coerce.number().int().positive().optional(),
  mutant: z.enum(Object.keys(mutants) as [keyof typeof mutants]).optional(),
  replay: z.string().optional(),
  report: z.boolean(),
  outages: z.boolean(),
  temporal: z.boolean(),
});
type Asked = z.output<typeof asked>;

/** The exit code: 1 when something was found. */
export async function main(args: string[]): Promise<number> {
  const given = asked.parse(parseArgs({ args, options }).values);
  if (given.temporal) return soakTemporal({ seed: given.seed, minutes: given.minutes ?? 1 });
  return given.replay === undefined ? soak(given) : replay(given, given.replay);
}

async function soak(given: Asked): Promise<number> {
  const mutant = given.mutant && mutants[given.mutant];
  const last = given.runs === undefined ? Infinity : given.seed + given.runs;
  const minutes = given.minutes ?? (given.runs === undefined ? 1 : Infinity);
  const until = Date.now() + minutes * 60_000;
  const tally = nothing(given.seed);
  for (let seed = given.seed; seed < last && Date.now() < until; seed += 1) {
    const one = given.outages ? randomOutage(seed) : randomCase(seed);
    const played = await play(one, { mutant });
    add(tally, seed, one, played);
    if (played.wrong.length === 0) continue;
    console.log(`seed ${seed} fails:\n${played.wrong.map((sentence) => `  ${sentence}`).join('\n')}`);
    const shrunk = await shrink(one, played.wrong, (some) => play(some, { mutant }));
    const file = `soak-${seed}.yaml`;
    writeFileSync(file, writeCase(shrunk.one, [`npm run soak -- --replay ${file}`, ...shrunk.wrong]));
    const { actions, hosts, instances } = shrunk.one;
    console.log(
      `  shrunk in ${shrunk.plays} plays from ${one.actions.length} to ${actions.length} actions, ` +
        `${hosts.length} hosts and ${instances.length} instances: npm run soak -- --replay ${file}`,
    );
  }
  console.log(told(tally));
  if (given.report) writeReport(tally);
  return tally.failed.length > 0 ? 1 : 0;
}

/** Plays a case again and tells all that happened in it, but for the rounds of the janitor. */
async function replay({ mutant }: Asked, file: string): Promise<number> {
  const one = readCase(readFileSync(file, 'utf8'));
  const { wrong, log } = await play(one, { log: true, mutant: mutant && mutants[mutant] });
  console.log(log.replaceAll(/^.* janitor: .*\n/gm, ''));
  console.log(wrong.length === 0 ? 'all that must hold holds' : wrong.join('\n'));
  return wrong.length > 0 ? 1 : 0;
}

function told({ cases, operations, runs, virtualMs, failed }: Tally): string {
  const hours = (virtualMs / 3_600_000).toFixed(1);
  const found = failed.length === 0 ? 'nothing found' : `failing seeds: ${failed.join(', ')}`;
  return `${cases} cases, ${operations} operations, ${runs} runs, ${hours} virtual hours; ${found}`;
}
