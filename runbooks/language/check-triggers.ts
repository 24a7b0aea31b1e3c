/** Checks `on`: what starts a runbook by itself must give all that the runbook needs. */
import type { FileIssue } from '../../config/yaml-file.js';
import type { Runbook } from '../../model/runbook.js';
import { checkSchedules } from './check-schedule.js';
import { checkWith, type Issues } from './check-with.js';
import { expressionChecker } from './expression-check.js';
import { signatureSchema } from './signature.js';

export function checkTriggers({ name, inputs, on = {} }: Runbook, file: Issues): FileIssue[] {
  const schema = signatureSchema(inputs);
  const check = (kind: 'alert' | 'schedule', place: number, given: Record<string, unknown>): FileIssue[] =>
    checkWith(
      { path: ['on', kind, place], taker: name, schema, given, key: 'inputs' },
      expressionChecker({ inputs: {}, [kind]: true }),
      file,
    );
  return [
    ...(on.alert ?? []).flatMap((one, place) => check('alert', place, one.inputs)),
    ...checkSchedules(on.schedule ?? [], file),
    ...(on.schedule ?? []).flatMap((one, place) => check('schedule', place, one.inputs)),
  ];
}
