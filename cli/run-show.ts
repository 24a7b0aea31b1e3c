/** A run for people, as lines. */
import type { RunStepRecord } from '../model/run.js';
import type { Wait } from '../model/run.js';
import type { RunView } from '../client/run-view.js';
import { paintState } from './paint.js';
import { approveCommand, countsOf, itemLine, oneLine } from './run-lines.js';
import { actionText, targetsText, untilWords, votes, whoMay } from './run-texts.js';
import { spanText } from './texts.js';

const values = (of: Record<string, unknown>): string =>
  Object.entries(of)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');

export function headOf(view: RunView): [string, string | undefined][] {
  const { id, runbook, inputs, state, phase, startedAt, by, endedAt, error, paused } = view;
  const { parent, retryOf, retriedBy, outputs, undone, notes, workflowUrl } = view;
  return [
    ['run', id],
    ['runbook', `${runbook} ${values(inputs)}`.trim()],
    ['state', `${paintState(state)}${phase === null || phase === state ? '' : `, ${phase}`}`],
    ['paused', paused === null ? undefined : pausedText(paused)],
    ['resume', paused === null ? undefined : `drover run resume ${id}`],
    ['started', `${startedAt} by ${by}`],
    ['ended', endedAt === null ? undefined : `${endedAt} (${spanText(startedAt, endedAt)})`],
    ['part of', parent === null ? undefined : `run ${parent.run}, step ${parent.step}`],
    ['tries again', retryOf === null ? undefined : `run ${retryOf}`],
    ['tried again', retriedBy === null ? undefined : `by run ${retriedBy.id} (${retriedBy.state})`],
    ['error', error === null ? undefined : oneLine(error.message)],
    ['outputs', values(outputs) || undefined],
    ['taken back', undone.join('\n') || undefined],
    ['note', notes.join('\n') || undefined],
    ['workflow', workflowUrl ?? undefined],
  ];
}

const pausedText = ({ by, at, reason }: NonNullable<RunView['paused']>): string =>
  `by ${by} at ${at}${reason === null ? '' : `: "${reason}"`}`;

export function partsOf(view: RunView): string[] {
  const running = view.running.map(
    (one) =>
      `  ${one.label}: ${one.kind}, ${one.phase ?? 'waiting'}${one.percent === null ? '' : ` ${one.percent} %`}` +
      (one.trouble === null ? '' : `, tried again: ${oneLine(one.trouble)}`),
  );
  const subRuns = view.subRuns.map(
    ({ step, runbook, id, state, phase }) =>
      `  ${step}: ${runbook}, run ${id}: ${paintState(state)}${phase === null ? '' : `, ${phase}`}`,
  );
  return [
    ...view.waits.flatMap((wait) => waitLines(wait, view)),
    '',
    ...view.steps.flatMap((step) => stepLines(step, view.id)),
    ...(running.length > 0 ? ['', 'under way:', ...running] : []),
    ...(subRuns.length > 0 ? ['', 'runs that are steps of it:', ...subRuns] : []),
    ...(view.actions.length > 0 ? ['', 'who did what:'] : []),
    ...view.actions.map((action) => `  ${action.at} ${actionText(action, view.id)}`),
  ];
}

function waitLines(wait: Wait, { id, waits }: RunView): string[] {
  const { step, run, approval } = wait;
  const command = approveCommand(wait, waits);
  return [
    '',
    `waits for approval of step ${step}${run === id ? '' : ` of run ${run}`}: ${approval.message || wait.name}`,
    `  who    ${whoMay(approval)}`,
    `  votes  ${votes(approval)}`,
    `  until  ${untilWords(approval.until)}`,
    `  on     ${targetsText(approval)}`,
    `  do     ${command}, or ${command.replace(' approve ', ' reject ')}`,
  ];
}

const shownItems = 20;

/** Of many items only those with trouble; all are told by --items. */
function stepLines(step: RunStepRecord, run: string): string[] {
  const attempts = (step.attempt ?? 1) > 1 ? `, attempt ${step.attempt}` : '';
  const head = `step ${step.id}: ${paintState(step.state)}${attempts}${countsOf(step)}, ${step.name}`;
  const troubled = step.items.filter(({ state }) => state !== 'done');
  const wanted = step.items.length > shownItems ? troubled : step.items;
  const shown = wanted.slice(0, shownItems);
  const hidden = (step.items.length > shownItems ? step.total - step.done : wanted.length) - shown.length;
  const why = step.error !== null && troubled.length === 0 ? [`  ${oneLine(step.error.message)}`] : [];
  const more = hidden > 0 ? [`  and ${hidden} more: drover run show ${run} --items --step ${step.id}`] : [];
  return [head, ...why, ...shown.map((item) => `  ${itemLine(item)}`), ...more];
}
