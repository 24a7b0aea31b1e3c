/** Every operation, through every trouble at every step: what must hold holds, and the record tells what happened. */
import { describe, expect, test } from 'vitest';
import { judge } from '../judge.js';
import { keep } from '../matrix/cells.js';
import { rows } from '../rows.js';
import { runSweep } from '../run-sweep.js';
import { heard, Stage } from '../stage.js';
import { sweeps } from '../sweeps/kinds.js';

const parts = 4;

/** Every fourth operation, in a process of its own: one process alone takes ten minutes for all of them. */
export async function prove(part: number): Promise<void> {
  const mine = (await rows()).filter((_, index) => index % parts === part);
  describe.each(mine)('$operation', (row) => {
    test.each(row.cases)('goes as it should: $title', async (one) => {
      const stage = await Stage.open();
      const trial = await stage.setUp(row.operation, one);
      const told = heard(await stage.ask(trial).ending);
      expect(told).toBe(one.fails ?? 'done');
      expect((await judge(trial, told, false)).wrong).toEqual([]);
      await stage.close();
    });

    test.each(sweeps)('$name: $says', async (sweep) => {
      const cell = await runSweep(row, sweep);
      keep(cell);
      expect(cell.wrong).toEqual([]);
      expect(cell.met).toBe(cell.wanted);
    });
  });
}
