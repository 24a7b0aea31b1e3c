/** How a run tells where it stands: Markdown for the Temporal UI, sentences for its error. */
import type { ApprovalRecord, RunItemRecord, RunStepRecord } from '../model/run.js';
import type { DroverError } from '../model/errors.js';
import { isFirstLanguage, type Run } from './run-state.js';
import type { Runtime } from './runtime.js';

const signs: Record<RunStepRecord['state'], string> = {
  pending: '·',
  waiting: '⏸',
  rejected: '✘',
  running: '▶',
  succeeded: '✔',
  failed: '✘',
  skipped: '–',
  cancelled: '✘',
};

/** Lists longer than this are cut in the Temporal UI; the record in the inventory has them all. */
const shown = 50;

/** Shows where the run stands now. */
export function showRun(run: Run, rt: Runtime): void {
  const waits = run.steps.some(({ state }) => state === 'waiting');
  const phase = run.paused && !run.closing ? 'paused' : waits ? 'waiting for approval' : run.phase;
  rt.show(phase, describeRun(run, [], null));
}

export function describeRun(run: Run, undone: string[], error: DroverError | null): string {
  const { steps, paused } = run;
  const lines = steps
    .filter(({ state }) => isFirstLanguage(run) || state !== 'pending' || steps.length <= shown)
    .map((step) => {
      const counts = step.total > 1 || step.items.length > 1 ? ` — ${countsOf(step)}` : '';
      return `- ${signs[step.state]} **${step.id}** ${step.name}${counts}`;
    });
  const troubled = steps
    .flatMap((step) => step.items.filter((item) => item.state !== 'done'))
    .slice(0, shown);
  const why = paused?.reason ? `: ${paused.reason}` : '';
  return [
    ...(paused && !run.closing ? [`⏸ **paused** by ${paused.by} since ${paused.at}${why}`, ''] : []),
    ...steps.flatMap(({ id, state, approval }) =>
      state === 'waiting' && approval ? [...describeApproval(id, approval), ''] : [],
    ),
    ...lines,
    ...(troubled.length ? ['', '| item | | why |', '|---|---|---|', ...troubled.map(row)] : []),
    ...(undone.length ? ['', 'Taken back:', ...undone.slice(0, shown).map((text) => `- ${text}`)] : []),
    ...(error ? ['', `**${error.code}** ${error.message}`] : []),
  ].join('\n');
}

function describeApproval(step: string, approval: ApprovalRecord): string[] {
  const { needed, approvals, from, until, message, targets, targetCount } = approval;
  const who = from.length === 0 ? 'any operator or administrator' : from.join(', ');
  const more = targetCount > shown ? [`- … ${targetCount - shown} more`] : [];
  return [
    `⏸ **${step}** waits for approval (${approvals.length} of ${needed}) by ${who} until ${until}: ${message}`,
    ...targets.slice(0, shown).map((target) => `- ${target}`),
    ...more,
  ];
}

const countsOf = (step: RunStepRecord): string => {
  const left = step.total - step.done - step.failed - step.refused;
  const others = Object.entries({ failed: step.failed, refused: step.refused, left });
  const told = others.filter(([, count]) => count > 0).map(([what, count]) => `, ${count} ${what}`);
  return `${step.done} of ${step.total} done${told.join('')}`;
};

const row = (item: RunItemRecord): string =>
  `| ${item.label} | ${item.state} | ${(item.error?.message ?? '').replaceAll('|', '\\|')} |`;

/** So many items are named in a sentence. */
const named = 20;

/** What a step did not achieve, as one sentence that names items and why; null when it achieved all. */
export function remainder(record: RunStepRecord): string | null {
  const left = record.items.filter((item) => item.state !== 'done');
  const count = Math.max(left.length, record.total - record.done);
  if (left.length === 0) return null;
  const why = (item: RunItemRecord) =>
    `${item.label}: ${item.error?.message ?? 'not started, too many had failed'}`;
  if (record.total === 1) return `${record.name}: ${left[0]?.error?.message ?? ''}`;
  const told = left.slice(0, named).map(why).join('; ');
  const more = count > named ? `; and ${count - named} more` : '';
  return `${record.name}: ${count} of ${record.total} remain: ${told}${more}`;
}

/** Temporal takes 2 MB at once. */
const largestRecord = 1_000_000;

/** The steps as they are told and recorded: with fewer items where they would be too many; all are rows. */
export function fitting(run: Run): RunStepRecord[] {
  if (isFirstLanguage(run)) return run.steps;
  let { steps } = run;
  for (let most = 50; JSON.stringify(steps).length > largestRecord && most > 0; most = Math.floor(most / 2)) {
    steps = steps.map((step) => ({ ...step, items: step.items.slice(0, most) }));
  }
  return steps;
}
