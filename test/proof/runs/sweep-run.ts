/** The sweeps over runs: each trouble at each step of the run itself, and at each step of all its children. */
import { DroverError } from '../../../model/errors.js';
import type { Handle } from '../../../virtual/handle.js';
import type { Knobs, Trouble } from '../../../virtual/trouble.js';
import type { Cell } from '../matrix/cells.js';
import { heard, Stage } from '../stage.js';
import { runCases } from './cases.js';
import { judgeRun, type RunTrial } from './judge.js';
import type { RunCaseName } from './names.js';

interface RunVariant {
  name: string;
  trouble: Omit<Trouble, 'at'>;
  /** It ends as it does without. */
  unnoticed?: true;
  /** Another run of its workflow takes its place. */
  reset?: true;
}

const refused = () => new DroverError('HypervisorError', 'it said no');
const silent = () => new DroverError('HypervisorUnreachable', 'the line is dead');
const hiccup = () => new DroverError('InventoryUnavailable', 'for a moment');
const moments = ['before', 'within', 'after'] as const;
const atAll = (name: string, trouble: Omit<Trouble, 'at' | 'when'>, more: Partial<RunVariant> = {}) =>
  moments.map((when): RunVariant => ({ name: `${name} ${when}`, trouble: { when, ...trouble }, ...more }));

export const runSweeps: Record<string, readonly RunVariant[]> = {
  unwind: [
    ...atAll('fails', { fail: { error: refused() } }),
    { name: 'is out of reach for ever', trouble: { fail: { error: silent() } } },
  ],
  repeat: [
    {
      name: 'is done twice',
      trouble: { when: 'after', fail: { error: hiccup(), once: true } },
      unnoticed: true,
    },
  ],
  'lost answer': [
    { name: 'is not heard of', trouble: { lose: true }, unnoticed: true },
    {
      name: 'is given up',
      trouble: { when: 'after', fail: { error: new DroverError('TimedOut', 'nothing') } },
    },
  ],
  cancel: atAll('is cancelled', { cancel: true }),
  terminate: atAll('is terminated', { terminate: true }),
  reset: atAll('is reset', { terminate: true }, { reset: true }),
  'worker dies': atAll('its worker dies', { crash: true }, { unnoticed: true }),
};

/** `alter` is for mutants. */
export async function sweepRun(
  name: RunCaseName,
  sweep: string,
  alter: (stage: Stage) => void = () => undefined,
): Promise<Cell> {
  const cell: Cell = { row: `run: ${name}`, sweep, wanted: 0, met: 0, outcomes: {}, wrong: [] };
  let stage = await Stage.open();
  const plain = await ask(stage, name, {});
  await plain.handle.ending;
  const { own, children } = stepsOf(stage, plain.handle);
  await stage.close();
  for (const variant of runSweeps[sweep] ?? []) {
    const places = [
      ...Array.from({ length: own }, (_, index) => ({ at: index + 1, within: false })),
      ...Array.from({ length: children }, (_, index) => ({ at: index + 1, within: true })),
    ];
    stage = await Stage.open();
    alter(stage);
    for (const { at, within } of places) {
      // A child has no reset of its own: that is a sweep of its operation.
      if (within && variant.reset) continue;
      cell.wanted += 1;
      const { wrong, outcome } = await tried(stage, name, variant, at, within);
      cell.met += 1;
      cell.outcomes[outcome] = (cell.outcomes[outcome] ?? 0) + 1;
      const where = `${name}, ${variant.name} ${within ? 'at its children’s' : 'at'} call ${at}, ${outcome}`;
      cell.wrong.push(...wrong.map((what) => `${where}: ${what}`));
    }
    await stage.close();
  }
  return cell;
}

async function ask(
  stage: Stage,
  name: RunCaseName,
  knobs: Knobs,
): Promise<{ handle: Handle; trial: RunTrial }> {
  const place = await stage.place('host.');
  const given = await runCases[name](place);
  const handle = stage.cloud.runbook(given.plan, given.inputs, knobs);
  const janitor = async () => void (await stage.cloud.janitor().ending);
  return { handle, trial: { place, given, id: handle.id, janitor } };
}

/** The calls of the run, and the most that a child of it makes. */
function stepsOf(stage: Stage, handle: Handle): { own: number; children: number } {
  const others = stage.cloud.temporal.all.filter((run) => run !== handle.run);
  return { own: handle.calls.length, children: Math.max(...others.map(({ calls }) => calls.length)) };
}

/** What the run itself can't write any more, or does not hear of its children. */
const records = new Set([
  'startRun',
  'finishRun',
  'releaseConcurrency',
  'takeConcurrency',
  'recordItems',
  'recordRunAction',
]);

async function tried(
  stage: Stage,
  name: RunCaseName,
  { trouble, unnoticed, reset }: RunVariant,
  at: number,
  within: boolean,
): Promise<{ wrong: string[]; outcome: string }> {
  const troubles = [{ at, ...trouble }];
  const { handle, trial } = await ask(stage, name, within ? { children: { troubles } } : { troubles });
  let ending = await handle.ending;
  const hit = handle.calls[at - 1] ?? '';
  if (reset && ending.end === 'terminated') ending = await handle.reset().ending;
  await stage.cloud.settle();
  const told = heard(ending);
  const forGood = trouble.fail !== undefined && trouble.fail.once !== true;
  const excused = told === 'nothing' || (!within && forGood && records.has(hit));
  const wrong = await judgeRun(trial, told, excused);
  if (unnoticed && told !== 'done') wrong.push(`it ended ${told}, not done`);
  return { wrong, outcome: told };
}
