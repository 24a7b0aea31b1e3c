/** Which operation or run dies at which step, together with which others. */
import { rows } from '../rows.js';
import { runCases } from '../runs/cases.js';
import { runCaseNames } from '../runs/names.js';
import { Stage } from '../stage.js';
import { operationAt, runAt, type Doomed } from './doomed.js';

/** Fewer than a worker does at once: all of them are parked before it dies. */
const together = 80;

/** Every step of every case; how many steps it has is counted in virtual time. */
export async function waves(position: Doomed['position']): Promise<Doomed[][]> {
  const all: Doomed[] = [];
  const stage = await Stage.open();
  for (const { operation, cases } of await rows()) {
    for (const one of cases) {
      const handle = stage.ask(await stage.setUp(operation, one));
      await handle.ending;
      const prepare: Doomed['prepare'] = (place) => operationAt(operation, one, place);
      all.push(...atEach(handle.calls.length, { row: operation, title: one.title, position, prepare }));
    }
  }
  for (const name of runCaseNames) {
    const { plan, inputs } = await runCases[name](await stage.place('host.'));
    const handle = stage.cloud.runbook(plan, inputs);
    await handle.ending;
    const prepare: Doomed['prepare'] = (place) => runAt(name, place);
    all.push(...atEach(handle.calls.length, { row: `run: ${name}`, title: 'the run', position, prepare }));
  }
  await stage.close();
  // Those of about as many steps together: none waits long for the others.
  const sorted = all.toSorted((one, other) => one.step - other.step);
  // Runs by themselves: their operations need the places that the parked ones take.
  const isRun = ({ row }: Doomed) => row.startsWith('run: ');
  return [...inParts(sorted.filter((one) => !isRun(one))), ...inParts(sorted.filter(isRun))];
}

const inParts = (sorted: Doomed[]): Doomed[][] =>
  Array.from({ length: Math.ceil(sorted.length / together) }, (_, index) =>
    sorted.slice(index * together, (index + 1) * together),
  );

const atEach = (steps: number, of: Omit<Doomed, 'step'>): Doomed[] =>
  Array.from({ length: steps }, (_, index) => ({ ...of, step: index + 1 }));
