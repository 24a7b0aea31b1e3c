/** Runs a sweep over every step of every case of an operation. */
import type { Row } from './rows.js';
import { Stage } from './stage.js';
import type { Sweep } from './sweeps/kinds.js';

export interface Swept {
  operation: string;
  sweep: string;
  /** Steps of all cases, times the variants of the sweep; and how many of them were met. */
  wanted: number;
  met: number;
  /** How they ended, and how often. */
  outcomes: Record<string, number>;
  wrong: string[];
}

/** `prepare` is for mutants, which change what the workers of the cloud do. */
export async function runSweep(
  { operation, cases }: Row,
  { name, variants }: Sweep,
  prepare: (stage: Stage) => void = () => undefined,
): Promise<Swept> {
  const swept: Swept = { operation, sweep: name, wanted: 0, met: 0, outcomes: {}, wrong: [] };
  for (const one of cases) {
    const stage = await Stage.open();
    try {
      prepare(stage);
      const steps = await stepsOf(stage, operation, one);
      for (const variant of variants) {
        for (let step = 1; step <= steps; step += 1) {
          swept.wanted += 1;
          const verdict = await variant.at(await stage.setUp(operation, one), step);
          if (verdict === null) continue;
          swept.met += 1;
          const { outcome, wrong } = verdict;
          swept.outcomes[outcome] = (swept.outcomes[outcome] ?? 0) + 1;
          swept.wrong.push(...wrong.map((what) => `${operation}, ${one.title}, ${variant.name}: ${what}`));
        }
      }
    } finally {
      await stage.close();
    }
  }
  return swept;
}

async function stepsOf(stage: Stage, operation: string, one: Row['cases'][number]): Promise<number> {
  const handle = stage.ask(await stage.setUp(operation, one));
  await handle.ending;
  return handle.calls.length;
}
