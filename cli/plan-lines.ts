/** What a run would do, in lines. */
import type { PlannedStep, RunPlan } from '../client/plan-run.js';
import { counted } from './texts.js';

/** More are counted. */
const shown = 100;

export function planLines(plan: RunPlan): string[] {
  return [
    ...(plan.concurrency === null ? [] : [`one run at a time with the key ${plan.concurrency}`]),
    ...plan.steps.flatMap(stepLines),
    ...part('if it fails:', plan.onFailure),
    ...part('at the end, however it ended:', plan.finally),
  ];
}

function stepLines(step: PlannedStep): string[] {
  const { id, name, steps, onFailure, runbooks } = step;
  return [
    `${id}: ${name}${aside(step)}`,
    ...indent([
      ...conditions(step),
      ...targets(step),
      ...steps.flatMap(stepLines),
      ...runbooks.flatMap(({ inputs, plan }) => [
        `${plan.runbook} ${given(inputs)}`.trimEnd(),
        ...indent(planLines(plan)),
      ]),
      ...moreRuns(step),
      ...part('if it fails:', onFailure),
    ]),
  ];
}

/** What stands behind the name. */
function aside({ uses, name, kind, steps, wait }: PlannedStep): string {
  if (kind === 'parallel') return ` (${counted(steps.length, 'step')} at the same time)`;
  if (kind === 'wait') return ` (waits ${wait})`;
  return uses === null || uses === name ? '' : ` (${uses})`;
}

function conditions({ runs, approve, until, timeout, attempts, limits, undo }: PlannedStep): string[] {
  const lines: string[] = [];
  if (runs === false) lines.push('skipped: its condition is false');
  if (runs === null) lines.push('whether it runs depends on the steps before it');
  if (approve) lines.push(asked(approve));
  if (until !== null) lines.push(`asked again until ${until}`);
  if (limits) lines.push(`${String(limits.parallel)} at a time, ${String(limits.failures)} may fail`);
  if (attempts > 1) lines.push(`up to ${attempts} attempts`);
  if (timeout !== null) lines.push(`time limit ${timeout}`);
  if (undo !== null) lines.push(`taken back by ${undo} when the run is cancelled`);
  return lines;
}

function asked({ from, count, within, otherwise, message }: NonNullable<PlannedStep['approve']>): string {
  const who = from.length === 0 ? 'an operator or administrator' : from.join(', ');
  const many = count === 1 ? 'approval' : `${count} approvals`;
  const then = otherwise === 'approve' ? 'then it goes on' : 'then it is rejected';
  return `waits for ${many} by ${who}, at most ${within}, ${then}${message === null ? '' : `: ${message}`}`;
}

function targets({ items, limits, kind, dryRuns }: PlannedStep): string[] {
  if (items === null) return ['what it works on depends on the steps before it'];
  if (limits === null && kind !== 'query') return [];
  const lists = kind === 'query' ? 'lists' : 'works on';
  if (items.length === 0) return [`${lists} nothing now`];
  const more = items.length > shown ? [`and ${items.length - shown} more`] : [];
  return kind === 'query'
    ? [`lists ${items.length} now: ${items.slice(0, 5).join(', ')}${items.length > 5 ? ', …' : ''}`]
    : [...items.slice(0, shown).map((item, index) => withDryRun(item, dryRuns[index])), ...more];
}

/** `web-1 → host-3`, or why it would be refused, each as if it were alone. */
function withDryRun(item: string, dry: PlannedStep['dryRuns'][number] | undefined): string {
  if (dry?.refusal) return `${item}: would be refused: ${dry.refusal.message.split('\n')[0]}`;
  return dry?.host ? `${item} → ${dry.host}` : item;
}

function moreRuns({ runbooks, items, limits }: PlannedStep): string[] {
  const rest = limits === null || items === null ? 0 : items.length - runbooks.length;
  return runbooks.length > 0 && rest > 0 ? [`and ${rest} more like these`] : [];
}

const given = (inputs: Record<string, unknown> | null): string =>
  inputs === null
    ? '(its inputs depend on the steps before)'
    : Object.entries(inputs)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(' ');

const part = (title: string, steps: readonly PlannedStep[]): string[] =>
  steps.length === 0 ? [] : [title, ...indent(steps.flatMap(stepLines))];

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
