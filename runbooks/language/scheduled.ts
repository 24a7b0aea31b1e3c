/** What a schedule runs now: the text of today, with the inputs of this time. */
import { DroverError } from '../../model/errors.js';
import type { FrozenRunbook } from '../../model/runbook.js';
import type { Catalogue } from './catalogue.js';
import { evaluate } from './expressions.js';
import { resolveInputs } from './inputs.js';
import { loadRunbook } from './load.js';

/** Throws NotFound, InvalidRunbook, InvalidInput. */
export async function scheduledRun(
  { runbook, inputs }: { runbook: string; inputs: Record<string, unknown> },
  schedule: { name: string; time: string },
  folders: readonly string[],
  catalogue: Catalogue,
): Promise<{ plan: FrozenRunbook; inputs: Record<string, unknown> }> {
  if (!/^[a-z][a-z0-9-]*$/.test(runbook))
    throw new DroverError('InvalidInput', `a schedule takes a runbook by its name, not "${runbook}"`, {
      hint: 'put its file into a folder of `runbooks` in drover.yaml; the workers must have it, too',
    });
  const plan = await loadRunbook(runbook, folders, catalogue);
  return { plan, inputs: scheduledInputs(plan, inputs, schedule) };
}

/** Throws InvalidRunbook, InvalidInput. */
export function scheduledInputs(
  { runbook }: FrozenRunbook,
  inputs: Record<string, unknown>,
  schedule: { name: string; time: string },
): Record<string, unknown> {
  const given = evaluate(inputs, { declared: {}, inputs: {}, steps: {}, run: { id: '' }, schedule });
  return resolveInputs(runbook, given as Record<string, unknown>);
}
