/** How a run tells where it stands: Markdown for the Temporal UI, sentences for its error. */
import type { RunItemRecord, RunStepRecord } from '../model/run.js';
import type { DroverError } from '../model/errors.js';

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

export const label = (item: RunItemRecord): string => item.label;

/** Lists longer than this are cut in the Temporal UI; the record in the inventory has them all. */
const shown = 50;

export function describeRun(steps: RunStepRecord[], undone: string[], error: DroverError | null): string {
  const lines = steps.map((step) => {
    const counts = step.total > 1 || step.items.length > 1 ? ` — ${countsOf(step)}` : '';
    return `${signs[step.state]} **${step.id}** ${step.name}${counts}`;
  });
  const troubled = steps
    .flatMap((step) => step.items.filter((item) => item.state !== 'done'))
    .slice(0, shown);
  return [
    ...lines,
    ...(troubled.length ? ['', '| item | | why |', '|---|---|---|', ...troubled.map(row)] : []),
    ...(undone.length ? ['', 'Taken back:', ...undone.map((text) => `- ${text}`)] : []),
    ...(error ? ['', `**${error.code}** ${error.message}`] : []),
  ].join('\n');
}

const countsOf = (step: RunStepRecord): string => {
  const left = step.total - step.done - step.failed - step.refused;
  return `${step.done} of ${step.total} done, ${step.failed} failed, ${step.refused} refused, ${left} left`;
};

const row = (item: RunItemRecord): string =>
  `| ${item.label} | ${item.state} | ${(item.error?.message ?? '').replaceAll('|', '\\|')} |`;

/** What a step did not achieve, as one sentence that names each item and why; null when it achieved all. */
export function remainder(record: RunStepRecord): string | null {
  const left = record.items.filter((item) => item.state !== 'done');
  if (left.length === 0) return null;
  const why = (item: RunItemRecord) =>
    `${item.label}: ${item.error?.message ?? 'not started, too many had failed'}`;
  if (record.total === 1) return `${record.name}: ${left[0]?.error?.message ?? ''}`;
  return `${record.name}: ${left.length} of ${record.total} remain: ${left.map(why).join('; ')}`;
}
