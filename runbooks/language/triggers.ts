/** Which alerts a runbook answers, and with which inputs. */
import type { Runbook } from '../../model/runbook.js';
import type { AlertTrigger } from '../../model/triggers.js';
import { evaluate, type AlertScope } from './expressions.js';

/** The first entry of `on.alert` whose labels the alert has, each with exactly that value. */
export function triggerOf({ on }: Runbook, { labels }: Pick<AlertScope, 'labels'>): AlertTrigger | undefined {
  return on?.alert?.find((trigger) =>
    Object.entries(trigger.labels).every(
      ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
    ),
  );
}

/** The values of its inputs, unchecked. Throws InvalidRunbook where an expression fails, such as for a label that is not there. */
export function inputsOf({ inputs }: AlertTrigger, alert: AlertScope): Record<string, unknown> {
  const scope = { declared: {}, inputs: {}, steps: {}, run: { id: '' }, alert };
  return evaluate(inputs, scope) as Record<string, unknown>;
}
