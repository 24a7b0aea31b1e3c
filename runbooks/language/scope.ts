/** Which steps a place of the runbook sees: those that have ended, or been passed over, when it is reached. */
import type { Path } from '../../config/yaml-file.js';
import { allSteps, type PlainStep, type Runbook, type Step } from '../../model/runbook.js';

/** Why a step is not seen: for the message. */
export type Hidden = 'itself' | 'later' | 'beside' | 'around';

export interface Sight {
  /** The ids of the steps that it sees. */
  seen: readonly string[];
  hidden: ReadonlyMap<string, Hidden>;
  /** In on-failure: what went wrong. */
  error: boolean;
}

export interface StepPlace {
  step: Step;
  path: Path;
  /** Where it stands: what finally and on-failure do is not taken back. */
  in: 'steps' | 'parallel' | 'on-failure' | 'finally';
  sight: Sight;
}

/** Every step with what it sees, in the order of the file. */
export function stepPlaces(runbook: Runbook): StepPlace[] {
  const all = allSteps(runbook).map(({ id }) => id);
  const places: StepPlace[] = [];
  const put = (
    step: PlainStep,
    path: Path,
    where: StepPlace['in'],
    seen: readonly string[],
    others: [string, Hidden][] = [],
  ): void => {
    const sight = { ...sightOf(all, seen, [...others, [step.id, 'itself']]), error: where === 'on-failure' };
    places.push({ step, path, in: where, sight });
  };
  const inOrder = (
    steps: readonly PlainStep[] | undefined,
    path: Path,
    where: StepPlace['in'],
    before: readonly string[],
  ): string[] => {
    const ids = idsOf(steps);
    steps?.forEach((step, place) => {
      put(step, [...path, place], where, [...before, ...ids.slice(0, place)]);
    });
    return [...before, ...ids];
  };
  let before: string[] = [];
  for (const [place, step] of runbook.steps.entries()) {
    const path = ['steps', place];
    const branches = idsOf(step.parallel);
    put(step, path, 'steps', before);
    step.parallel?.forEach((branch, number) => {
      const beside = branches.map((id): [string, Hidden] => [id, 'beside']);
      put(branch, [...path, 'parallel', number], 'parallel', before, [...beside, [step.id, 'around']]);
    });
    before = [...before, step.id, ...branches];
    before = inOrder(step['on-failure'], [...path, 'on-failure'], 'on-failure', before);
  }
  before = inOrder(runbook['on-failure'], ['on-failure'], 'on-failure', before);
  inOrder(runbook.finally, ['finally'], 'finally', before);
  return places;
}

/** The end of the run sees all steps. */
export function sightOfEnd(runbook: Runbook): Sight {
  return { seen: allSteps(runbook).map(({ id }) => id), hidden: new Map(), error: false };
}

/** A sight that has more steps in it. */
export function seeing(sight: Sight, ...ids: string[]): Sight {
  return { ...sight, seen: [...sight.seen, ...ids] };
}

function sightOf(
  all: readonly string[],
  seen: readonly string[],
  others: [string, Hidden][],
): Omit<Sight, 'error'> {
  const hidden = new Map(all.filter((id) => !seen.includes(id)).map((id): [string, Hidden] => [id, 'later']));
  for (const [id, why] of others) if (hidden.has(id)) hidden.set(id, why);
  return { seen, hidden };
}

const idsOf = (steps: readonly PlainStep[] | undefined): string[] => (steps ?? []).map(({ id }) => id);
