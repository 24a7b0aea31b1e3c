/** Checks one step at its place, and tells what the steps after it see of it. */
import type { FileIssue, Path } from '../../config/yaml-file.js';
import type { Runbook, Step } from '../../model/runbook.js';
import type { Catalogue } from './catalogue.js';
import type { CelType } from './cel-types.js';
import { checkApprove, checkRetry } from './check-people.js';
import { checkForEach } from './check-for-each.js';
import { checkShape } from './check-shape.js';
import { checkUse } from './check-uses.js';
import { checkDuration, checkOutputs } from './check-values.js';
import { checkTexts, checkTyped, type Checker, type Issues } from './check-with.js';
import { expressionChecker, type ScopeTypes, type StepType } from './expression-check.js';
import { seeing, type Sight, type StepPlace } from './scope.js';
import { queryTypes, wanted } from './types.js';
import { isQuery } from './uses.js';

export interface Around {
  runbook: Runbook;
  catalogue: Catalogue;
  file: Issues;
  /** Of the steps that were checked so far. */
  types: Record<string, StepType>;
}

/** Adds the step's own type to `around.types`. */
export function checkStep(place: StepPlace, around: Around): FileIssue[] {
  const { step, path, sight } = place;
  const { catalogue, file } = around;
  const scope = scopeOf(sight, around);
  const once = expressionChecker(scope);
  const loop = checkForEach(step['for-each'], path, { once, catalogue, file });
  const perItem = loop.item === undefined ? once : expressionChecker({ ...scope, item: loop.item });
  const { uses } = step;
  const used =
    uses === undefined ? undefined : checkUse({ uses, with: step.with }, path, perItem, { catalogue, file });
  const result: CelType | undefined = used && (step['for-each'] === undefined ? used.result : 'list<dyn>');
  const outputs = checkOutputsOf(place, result, around);
  around.types[step.id] = { result: result ?? 'dyn', outputs: outputs.types };
  return [
    ...checkShape(place, file),
    ...loop.issues,
    ...(step.name === undefined ? [] : checkTexts(step.name, [...path, 'name'], once, file)),
    ...checkCondition(step.if, [...path, 'if'], once, file),
    ...checkLimits(step, path, once, file),
    ...(used?.issues ?? []),
    ...(step.approve === undefined ? [] : checkApprove(step.approve, [...path, 'approve'], once, file)),
    ...(step.retry === undefined ? [] : checkRetry(step.retry, [...path, 'retry'], once, file)),
    ...(['wait', 'timeout', 'every'] as const).flatMap((key) =>
      checkDuration(step[key], [...path, key], once, file),
    ),
    ...checkUntil(step, path, { ...scope, result: result ?? 'dyn' }, file),
    ...outputs.issues,
    ...checkUndo(place, loop.item, around),
  ];
}

export function scopeOf(sight: Sight, { runbook, catalogue, types }: Around): ScopeTypes {
  const seen = sight.seen.map((id): [string, StepType] => [id, types[id] ?? { result: 'dyn', outputs: {} }]);
  return {
    inputs: runbook.inputs,
    steps: Object.fromEntries(seen),
    hidden: sight.hidden,
    error: sight.error,
    named: queryTypes(catalogue),
  };
}

function checkOutputsOf(
  { step, path, sight }: StepPlace,
  result: CelType | undefined,
  around: Around,
): ReturnType<typeof checkOutputs> {
  if (step.outputs === undefined) return { issues: [], types: {} };
  const branches = (step.parallel ?? []).map(({ id }) => id);
  const scope = scopeOf(seeing(sight, ...branches), around);
  const checker = expressionChecker(result === undefined ? scope : { ...scope, result });
  return checkOutputs(step.outputs, [...path, 'outputs'], checker, around.file);
}

function checkCondition(
  condition: boolean | string | undefined,
  path: Path,
  checker: Checker,
  file: Issues,
): FileIssue[] {
  return typeof condition === 'string'
    ? checkTyped(checker.condition(condition), wanted.boolean, path, file)
    : [];
}

function checkUntil({ uses, until }: Step, path: Path, scope: ScopeTypes, file: Issues): FileIssue[] {
  if (!isQuery(uses)) return [];
  return checkCondition(until, [...path, 'until'], expressionChecker(scope), file);
}

const limits = { 'max-parallel': wanted.whole, 'max-failures': wanted.share };

function checkLimits(step: Step, path: Path, checker: Checker, file: Issues): FileIssue[] {
  return (['max-parallel', 'max-failures'] as const).flatMap((key) => {
    const value = step[key];
    if (typeof value !== 'string' || value.endsWith('%')) return [];
    return checkTyped(checker.text(value), limits[key], [...path, key], file);
  });
}

/** It sees what the step sees, the step itself, and of a for-each the item that was done. */
function checkUndo({ step, path, sight }: StepPlace, item: CelType | undefined, around: Around): FileIssue[] {
  const { undo } = step;
  if (undo === undefined) return [];
  const at = [...path, 'undo'];
  if (isQuery(undo.uses)) {
    const hint = 'an undo is an operation, such as host.enable, or a runbook';
    return [around.file.issue([...at, 'uses'], `"${undo.uses}" takes nothing back`, { hint })];
  }
  const scope = scopeOf(seeing(sight, step.id), around);
  const checker = expressionChecker(item === undefined ? scope : { ...scope, item });
  return [
    ...checkCondition(undo.if, [...at, 'if'], checker, around.file),
    ...checkUse(undo, at, checker, around).issues,
  ];
}
