/** Which operation is struck by which fault at which step, together with which others. */
import type { KillCase } from './cases.js';
import { killFaults, positionOf, type KillFault } from './faults.js';
import type { Position } from './plan.js';

export interface Doomed {
  one: KillCase;
  fault: KillFault;
  /** From 1; null in the middle of the step that its case names. */
  step: number | null;
  /** Whose own worker does it; null for the control worker. */
  on: Step['on'];
  /** `3 writeProbe`. */
  told: string;
  position: Position;
}

export type Wave = [Doomed, ...Doomed[]];

export interface Step {
  name: string;
  on: 'source' | 'target' | null;
}

/** Steps of each case, in order. */
export type Known = { one: KillCase; steps: Step[] }[];

/**
 * Every step of every case: with all faults, or with one each, by turns, so that every fault meets every operation.
 * The middle of a live migration is struck by all of them in any case.
 */
export function wavesOf(known: Known, how: { all: boolean; guests: number }): Wave[] {
  const doomed = known.flatMap(({ one, steps }, turn) => [
    ...(one.middle === null ? [] : killFaults.map((fault) => inTheMiddle(one, fault))),
    ...steps.flatMap(({ name, on }, index) =>
      killFaults
        .filter((_fault, which) => how.all || which === (index + turn) % killFaults.length)
        .map((fault) => ({
          one,
          fault,
          step: index + 1,
          on,
          told: `${index + 1} ${name}`,
          position: positionOf(fault),
        })),
    ),
  ]);
  // Power is taken last: who had arrived must be started again before the next wave.
  return killFaults.flatMap((fault) =>
    inParts(
      doomed.filter((each) => each.fault === fault),
      how.guests,
    ),
  );
}

const inTheMiddle = (one: KillCase, fault: KillFault): Doomed => ({
  one,
  fault,
  step: null,
  on: null,
  told: `in the middle of ${one.middle}`,
  position: positionOf(fault),
});

/** As few waves as there are guests of each kind for, each about as large as the others. */
function inParts(doomed: Doomed[], guests: number): Wave[] {
  const kinds = (['shared', 'local'] as const).map((disk) => doomed.filter(({ one }) => one.disk === disk));
  const parts = Math.max(...kinds.map((some) => Math.ceil(some.length / guests)));
  const of = (some: Doomed[], part: number) =>
    some.slice(Math.floor((some.length * part) / parts), Math.floor((some.length * (part + 1)) / parts));
  return Array.from({ length: parts }, (_, part) => kinds.flatMap((some) => of(some, part))) as Wave[];
}
