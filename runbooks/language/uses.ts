/** What the word after `uses` speaks of. */
import type { Path } from '../../config/yaml-file.js';
import type { Runbook } from '../../model/runbook.js';
import { stepPlaces } from './scope.js';

export const isQuery = (uses: string | undefined): boolean => uses?.startsWith('query.') === true;

/** `runbook.drain-host` → `drain-host`. */
export const runbookOf = (uses: string | undefined): string | undefined =>
  uses?.startsWith('runbook.') === true ? uses.slice('runbook.'.length) : undefined;

/** The runbooks that a runbook uses, and where. */
export function usedRunbooks(runbook: Runbook): { name: string; path: Path }[] {
  return stepPlaces(runbook).flatMap(({ step, path }) => {
    const places: [string | undefined, Path][] = [
      [step.uses, [...path, 'uses']],
      [step.undo?.uses, [...path, 'undo', 'uses']],
    ];
    return places.flatMap(([uses, at]) => {
      const name = runbookOf(uses);
      return name === undefined ? [] : [{ name, path: at }];
    });
  });
}
