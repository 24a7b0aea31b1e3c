/** What changed in a run, a line each; and what is under way, for a terminal. */
import type { RunItemRecord, RunStepRecord } from '../model/run.js';
import type { RunningItem, RunView } from '../client/run-view.js';
import { paintState } from './paint.js';
import { percentBar } from './progress.js';
import { describeResult, spanText } from './texts.js';

/** The changes from one look to the next, in the order in which they are read. */
export function runChanges(before: RunView | undefined, after: RunView): string[] {
  return [
    ...(before ? [] : begin(after)),
    ...after.notes.filter((text) => !before?.notes.includes(text)).map((text) => `note: ${text}`),
    ...(before && before.notes.length > 0 && after.notes.length === 0 ? ['note: in touch again'] : []),
    ...after.steps.flatMap((step) =>
      stepChanges(
        before?.steps.find((old) => old.id === step.id),
        step,
      ),
    ),
    ...after.running.flatMap((item) =>
      itemChanges(
        before?.running.find((old) => old.operation === item.operation),
        item,
      ),
    ),
  ];
}

function begin(view: RunView): string[] {
  const given = Object.entries(view.inputs).map(([name, value]) => `${name}=${String(value)}`);
  const by = view.by === '' ? '' : `, started by ${view.by}`;
  const head = `run ${view.id}: ${[view.runbook, ...given].join(' ')}${by}`;
  return view.workflowUrl === null ? [head] : [head, view.workflowUrl];
}

function stepChanges(before: RunStepRecord | undefined, after: RunStepRecord): string[] {
  const fresh = after.items
    .slice(before?.items.length ?? 0)
    .filter((item) => item.state !== 'done' || after.total > 1);
  const began =
    after.state === 'running' && before?.state !== 'running' ? [`step ${after.id}: ${after.name}`] : [];
  const grew =
    after.state === 'running' && after.total > 1 && after.total !== before?.total
      ? [`step ${after.id}: ${after.total} to do`]
      : [];
  const items = fresh.map((item) => `  ${itemLine(item)}`);
  const ended =
    isOver(after) && before?.state !== after.state
      ? [`step ${after.id}: ${paintState(after.state)}${countsOf(after)}`]
      : [];
  return [...began, ...grew, ...items, ...ended];
}

const isOver = ({ state }: RunStepRecord): boolean => state !== 'pending' && state !== 'running';

export function countsOf({ total, done, failed, refused }: RunStepRecord): string {
  if (total <= 1) return '';
  const parts = [
    `${done} of ${total} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
  ];
  return `, ${parts.join(', ')}`;
}

/** One line, also where the reason has a line for each host. */
export function itemLine(item: RunItemRecord): string {
  if (item.state === 'done') {
    const result = describeResult(item.result);
    return `${item.label}: ${paintState('done')}${result === '' ? '' : `, ${result}`}`;
  }
  if (item.state === 'not-started')
    return `${item.label}: not started, too many had failed or the run was cancelled`;
  return `${item.label}: ${paintState(item.state)}: ${oneLine(item.error?.message ?? 'no reason recorded')}`;
}

export const oneLine = (text: string): string => text.replaceAll(/:\n\s*/g, ': ').replaceAll(/\n\s*/g, '; ');

/** In a log every percent would be a line: quarters tell enough. */
const quarter = (percent: number | null): number => Math.floor((percent ?? 0) / 25);

function itemChanges(before: RunningItem | undefined, after: RunningItem): string[] {
  const where = after.host === null ? '' : ` on ${after.host}`;
  const began = before ? [] : [`  ${after.label}: ${after.kind}${where}`];
  const phase =
    after.phase !== null && after.phase !== before?.phase ? [`  ${after.label}: ${after.phase}`] : [];
  const further = quarter(after.percent) > quarter(before?.percent ?? null);
  const percent = further
    ? [`  ${after.label}: ${after.phase ?? after.kind} ${quarter(after.percent) * 25} %`]
    : [];
  const trouble =
    after.trouble !== null && after.trouble !== before?.trouble
      ? [`  ${after.label}: tried again: ${oneLine(after.trouble)}`]
      : [];
  return [...began, ...phase, ...percent, ...trouble];
}

export function liveLines(view: RunView): string[] {
  if (view.state !== 'running') return [];
  const step = view.steps.find(({ state }) => state === 'running');
  const head = `${step?.id ?? view.phase ?? view.runbook}${step ? countsOf(step) : ''} (${spanText(view.startedAt, null)})`;
  const items = view.running.map(
    ({ label, kind, phase, percent }) =>
      `${label}: ${phase ?? kind}${percent === null ? '' : ` ${percentBar(percent)}`}`,
  );
  return [head, ...items];
}

export function runEnd(view: RunView): string {
  const outputs = Object.entries(view.outputs).map(([name, value]) => `${name} ${String(value)}`);
  const undone = view.undone.length > 0 ? `; taken back: ${view.undone.join('; ')}` : '';
  const said = outputs.length > 0 ? `: ${outputs.join(', ')}` : '';
  return `run ${view.id}: ${paintState(view.state)} after ${spanText(view.startedAt, view.endedAt)}${said}${undone}`;
}
