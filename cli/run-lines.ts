/** What changed in a run, a line each and never twice; and what is under way, for a terminal. */
import type { RunItemRecord, RunItemRow, RunStepRecord } from '../model/run.js';
import type { SubRun } from '../client/run-relatives.js';
import type { Wait } from '../model/run.js';
import type { RunningItem, RunView } from '../client/run-view.js';
import type { Look } from '../client/watch-run.js';
import { paintState } from './paint.js';
import { percentBar } from './progress.js';
import { actionText, untilWords, votes } from './run-texts.js';
import { describeResult, spanText } from './texts.js';

/**
 * Looks may be uncertain (no worker answers, Temporal is away) and come back: so it is remembered what was told, and
 * steps are told by the run's own word only.
 */
export function runTeller(): (look: Look) => string[] {
  const steps = new Map<string, RunStepRecord>();
  const operations = new Map<string, RunningItem>();
  const subRuns = new Map<string, SubRun>();
  const said = new Set<string>();
  let notes: string[] = [];
  let untold: RunItemRow[] = [];
  const once = (key: string, text: string): string[] => {
    if (said.has(key)) return [];
    said.add(key);
    return [text];
  };
  const stepChanges = (step: RunStepRecord): string[] => {
    const before = steps.get(step.id);
    steps.set(step.id, step);
    const items = [...untold.filter((row) => row.step === step.id), ...step.items]
      .filter((item) => item.state !== 'done' || step.total > 1)
      .map((item) => ({ key: item.key, line: `  ${itemLine(item)}` }))
      .flatMap(({ key, line }) => once(`item ${step.id}/${key} ${line}`, line));
    return [...stepBegins(before, step), ...items, ...stepEnds(before, step)];
  };
  return ({ view, ended }) => {
    const first = !said.has('begin');
    untold.push(
      ...(first && ended.length > manyItems ? ended.filter(({ state }) => state !== 'done') : ended),
    );
    const lines = [
      ...(first ? begin(view) : []),
      ...view.notes.filter((text) => !notes.includes(text)).map((text) => `note: ${text}`),
      ...(notes.length > 0 && view.notes.length === 0 ? ['note: in touch again'] : []),
      ...view.actions
        .filter(({ action }) => action !== 'start')
        .flatMap((one) => once(`action ${one.at} ${one.by} ${one.action}`, actionText(one, view.id))),
      ...(view.certain ? view.steps.flatMap(stepChanges) : []),
      ...view.subRuns.flatMap((run) => subRunChanges(subRuns.get(run.id), run)),
      ...view.waits.flatMap((wait) => once(`waits ${wait.run}/${wait.step}`, waitLine(wait, view))),
      ...view.running.flatMap((item) => itemChanges(operations.get(item.operation), item)),
    ];
    said.add('begin');
    notes = view.notes;
    if (view.certain) untold = [];
    for (const run of view.subRuns) subRuns.set(run.id, run);
    for (const item of view.running) {
      operations.set(item.operation, known(operations.get(item.operation), item));
    }
    return lines;
  };
}

/** Of a run that has done more than this when the watching begins, only what is not done is told one by one. */
const manyItems = 50;

/** A look that could not ask is not a change back. */
const known = (before: RunningItem | undefined, after: RunningItem): RunningItem => ({
  ...after,
  phase: after.phase ?? before?.phase ?? null,
  percent: after.percent ?? (after.phase === null ? (before?.percent ?? null) : null),
  trouble: after.trouble ?? before?.trouble ?? null,
});

function begin(view: RunView): string[] {
  const given = Object.entries(view.inputs).map(([name, value]) => `${name}=${String(value)}`);
  const by = view.by === '' ? '' : `, started by ${view.by}`;
  const again = view.retryOf === null ? '' : `, tries run ${view.retryOf} again`;
  const head = `run ${view.id}: ${[view.runbook, ...given].join(' ')}${by}${again}`;
  return view.workflowUrl === null ? [head] : [head, view.workflowUrl];
}

function stepBegins(before: RunStepRecord | undefined, after: RunStepRecord): string[] {
  const runs = after.state === 'running';
  const attempt = after.attempt ?? 1;
  const again = before !== undefined && attempt > (before.attempt ?? 1);
  const began = runs && before?.state !== 'running' ? [`step ${after.id}: ${after.name}`] : [];
  const grew =
    runs && after.total > 1 && after.total !== before?.total
      ? [`step ${after.id}: ${after.total} to do`]
      : [];
  return [...began, ...(again ? [`step ${after.id}: attempt ${attempt}`] : []), ...grew];
}

const stepEnds = (before: RunStepRecord | undefined, after: RunStepRecord): string[] =>
  isOver(after) && before?.state !== after.state
    ? [`step ${after.id}: ${paintState(after.state)}${countsOf(after)}`]
    : [];

const isOver = ({ state }: RunStepRecord): boolean => !['pending', 'waiting', 'running'].includes(state);

export const approveCommand = ({ run, step }: Wait, waits: readonly Wait[]): string => {
  const several = waits.filter((wait) => wait.run === run).length > 1;
  return `drover run approve ${run}${several ? ` --step ${step}` : ''}`;
};

function waitLine(wait: Wait, { id, waits }: RunView): string {
  const where = wait.run === id ? '' : ` of run ${wait.run}`;
  const until = `until ${untilWords(wait.approval.until)}`;
  return `step ${wait.step}${where}: waits for approval, ${votes(wait.approval)}, ${until}: ${approveCommand(wait, waits)}`;
}

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

function subRunChanges(before: SubRun | undefined, after: SubRun): string[] {
  const name = `  ${after.step}: run ${after.id} of ${after.runbook}`;
  if (after.state !== 'running')
    return before?.state === after.state ? [] : [`${name}: ${paintState(after.state)}`];
  const began = before ? [] : [`${name} began`];
  const moved = after.phase !== null && after.phase !== before?.phase ? [`${name}: ${after.phase}`] : [];
  return [...began, ...moved];
}

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
  const step = view.steps.find(({ state }) => state === 'running' || state === 'waiting');
  const paused = view.paused === null ? '' : `, paused by ${view.paused.by}`;
  const where = `${step?.id ?? view.phase ?? view.runbook}${step ? countsOf(step) : ''}`;
  const head = `${where}${paused} (${spanText(view.startedAt, null)})`;
  const waits = view.waits.map((wait) => waitLine(wait, view));
  const items = view.running.map(
    ({ label, kind, phase, percent }) =>
      `${label}: ${phase ?? kind}${percent === null ? '' : ` ${percentBar(percent)}`}`,
  );
  return [head, ...waits, ...items];
}

export function runEnd(view: RunView): string {
  const outputs = Object.entries(view.outputs).map(([name, value]) => `${name} ${String(value)}`);
  const undone = view.undone.length > 0 ? `; taken back: ${view.undone.join('; ')}` : '';
  const said = outputs.length > 0 ? `: ${outputs.join(', ')}` : '';
  return `run ${view.id}: ${paintState(view.state)} after ${spanText(view.startedAt, view.endedAt)}${said}${undone}`;
}
