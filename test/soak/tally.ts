/** What a soak has done in all. */
import type { Action, Case } from './case.js';
import type { Played } from './play.js';

export interface Tally {
  seeds: [first: number, last: number];
  cases: number;
  operations: number;
  runs: number;
  virtualMs: number;
  realMs: number;
  /** What was done to the world and to workflows, by its kind. */
  troubles: Map<string, number>;
  failed: number[];
  begun: number;
}

export const nothing = (seed: number): Tally => ({
  seeds: [seed, seed],
  cases: 0,
  operations: 0,
  runs: 0,
  virtualMs: 0,
  realMs: 0,
  troubles: new Map(),
  failed: [],
  begun: Date.now(),
});

export function add(tally: Tally, seed: number, one: Case, played: Played): void {
  tally.seeds[1] = seed;
  tally.cases += 1;
  tally.operations += played.operations;
  tally.runs += played.runs;
  tally.virtualMs += played.virtualMs;
  tally.realMs = Date.now() - tally.begun;
  if (played.wrong.length > 0) tally.failed.push(seed);
  for (const kind of one.actions.flatMap(troubleOf))
    tally.troubles.set(kind, (tally.troubles.get(kind) ?? 0) + 1);
}

function troubleOf(action: Action): string[] {
  if (action.do === 'fault') return action.fault.do === 'restore' ? [] : [action.fault.do];
  if (action.do === 'worker') return action.what === 'start' ? [] : [`worker ${action.what}`];
  return action.do === 'operation' || action.do === 'runbook' ? [] : [action.do];
}
