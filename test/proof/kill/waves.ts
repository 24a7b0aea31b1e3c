/** Which operation dies at which step, together with which others. */
import type { Case } from '../case.js';
import { rows } from '../rows.js';
import { Stage } from '../stage.js';
import type { Kill } from './plan.js';

export interface Doomed extends Pick<Kill, 'step' | 'position'> {
  operation: string;
  one: Case;
}

/** Fewer than a worker does at once: all of them are parked before it dies. */
const together = 80;

/** Every step of every case, twice; how many steps a case has is counted in virtual time. */
export async function waves(): Promise<Doomed[][]> {
  const all: Doomed[] = [];
  const stage = await Stage.open();
  for (const { operation, cases } of await rows()) {
    for (const one of cases) {
      const handle = stage.ask(await stage.setUp(operation, one));
      await handle.ending;
      for (let step = 1; step <= handle.calls.length; step += 1) {
        for (const position of ['before', 'after'] as const) all.push({ operation, one, step, position });
      }
    }
  }
  await stage.close();
  // Those of about as many steps together: none waits long for the others.
  const sorted = all.toSorted((one, other) => one.step - other.step);
  return Array.from({ length: Math.ceil(sorted.length / together) }, (_, index) =>
    sorted.slice(index * together, (index + 1) * together),
  );
}
