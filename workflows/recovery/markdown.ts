/** Where a recovery stands, for the Temporal UI. */
import type { Recovery } from './recovery.js';

export function markdown({ host, id, state, question, evidence, instances, log }: Recovery): string {
  const asks =
    question === null
      ? []
      : [
          `### It waits for a person`,
          question.says,
          ...Object.entries(question.answers).map(
            ([action, says]) => `- \`drover incident ${action} ${id}\`: ${says}`,
          ),
        ];
  const counts = countsOf(instances);
  const parts = [
    `**${host}**: ${state}${evidence === null ? '' : `; fenced: ${evidence.says}`}`,
    ...(asks.length > 0 ? [asks.join('\n')] : []),
    ...(counts === '' ? [] : [counts]),
    log
      .slice(-linesShown)
      .map(({ phase, says }) => `- ${phase}: ${says}`)
      .join('\n'),
  ];
  return parts.join('\n\n');
}

const linesShown = 15;

/** `12 evacuated, 1 waiting`. */
export function countsOf(instances: Recovery['instances']): string {
  const counts = new Map<string, number>();
  for (const { outcome } of instances) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}
