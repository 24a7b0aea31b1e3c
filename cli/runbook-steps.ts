/** The steps of a runbook as rows of a table: what each does, and under which conditions. */
import type { PlainStep, Runbook, Step } from '../model/runbook.js';

export const stepColumns = ['STEP', 'DOES', 'HOW', 'DESCRIPTION'];

export function stepRows(runbook: Runbook): string[][] {
  return [
    ...runbook.steps.flatMap((step) => rowsOf(step, '')),
    ...section('if it fails', runbook['on-failure'], ''),
    ...section('at the end', runbook.finally, ''),
  ];
}

function rowsOf(step: Step, indent: string): string[][] {
  const inner = `${indent}  `;
  return [
    [`${indent}${step.id}`, does(step), how(step).join(', '), step.name ?? ''],
    ...(step.parallel ?? []).flatMap((branch) => rowsOf(branch, inner)),
    ...section('if it fails', step['on-failure'], inner),
  ];
}

const section = (title: string, steps: readonly PlainStep[] | undefined, indent: string): string[][] =>
  steps === undefined
    ? []
    : [[`${indent}${title}:`, '', '', ''], ...steps.flatMap((step) => rowsOf(step, `${indent}  `))];

function does({ uses, parallel, wait }: Step): string {
  if (uses !== undefined) return uses;
  if (parallel) return `${parallel.length} steps at the same time`;
  return wait === undefined ? 'asks for approval' : `waits ${wait}`;
}

function how(step: Step): string[] {
  const { approve, until, timeout, retry, undo, uses, parallel, wait } = step;
  const alone = uses === undefined && parallel === undefined && wait === undefined;
  const told: [unknown, string][] = [
    [step.if, `if ${step.if}`],
    [step['for-each'], loop(step)],
    [alone ? undefined : approve, 'after approval'],
    [approve && approve.count > 1 ? approve : undefined, `by ${approve?.count} persons`],
    [approve?.from, `from ${approve?.from?.join(' or ')}`],
    [until, `until ${until}`],
    [retry, `${retry?.attempts} attempts`],
    [timeout, `at most ${timeout}`],
    [step['continue-on-error'], 'may fail'],
    [undo, `undone by ${undo?.uses}`],
  ];
  return told.flatMap(([given, words]) => (given === undefined || given === false ? [] : [words]));
}

function loop(step: Step): string {
  const source = step['for-each'];
  const what =
    typeof source === 'string'
      ? source
      : Array.isArray(source)
        ? `${source.length} items`
        : `each of ${source?.query}`;
  const parallel = step['max-parallel'];
  return `for ${what}${parallel === undefined ? '' : `, ${parallel} at a time`}`;
}
