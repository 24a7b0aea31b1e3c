/** Runs a sweep over every step of every case of an operation. */
import type { Cell } from './matrix/cells.js';
import type { Row } from './rows.js';
import { Stage } from './stage.js';
import type { Sweep } from './sweeps/kinds.js';

/** `prepare` is for mutants, which change what the workers of the cloud do. */
export async function runSweep(
  { operation, cases }: Row,
  { name, variants }: Sweep,
  prepare: (stage: Stage) => void = () => undefined,
): Promise<Cell> {
  const swept: Cell = { row: operation, sweep: name, wanted: 0, met: 0, outcomes: {}, wrong: [] };
  for (const one of cases) {
    const stage = await Stage.open();
    try {
      prepare(stage);
      const steps = await stepsOf(stage, operation, one);
      for (const variant of variants) {
        const by = variant.whole ? steps : 1;
        for (let step = 1; step <= steps; step += by) {
          swept.wanted += by;
          const verdict = await variant.at(await stage.setUp(operation, one), step);
          if (verdict === null) continue;
          swept.met += by;
          const { outcome, wrong } = verdict;
          swept.outcomes[outcome] = (swept.outcomes[outcome] ?? 0) + by;
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
