/**
 * Everything that can be known to be wrong with a runbook before it runs. What passes here runs: the
 * interpreter looks at values only.
 */
import { z } from 'zod';
import { checkSchema, readYaml, sortIssues, type FileIssue, type Path } from '../../config/yaml-file.js';
import { didYouMean } from '../../model/did-you-mean.js';
import { inputValueSchema, runbookSchema, type Runbook, type Step, type Undo } from '../../model/runbook.js';
import type { Catalogue } from './catalogue.js';
import { checkTexts, checkTyped, checkWith, type Checker, type Issues } from './check-with.js';
import { checkForEach } from './check-for-each.js';
import { expressionChecker, type ScopeTypes } from './expression-check.js';

export interface CheckedRunbook {
  /** Only without issues. */
  runbook?: Runbook;
  issues: FileIssue[];
}

/** `file` is only the name in the issues. */
export function checkRunbook(source: string, file: string, catalogue: Catalogue): CheckedRunbook {
  const yaml = readYaml(source, file, runbookSchema);
  if (yaml.value === undefined) return { issues: yaml.issues };
  const runbook = yaml.value;
  const issues = sortIssues([
    ...checkInputs(runbook, yaml),
    ...checkIds(runbook.steps, yaml),
    ...runbook.steps.flatMap((step, place) => checkStep(step, place, { runbook, catalogue, file: yaml })),
    ...checkTexts(
      runbook.outputs,
      ['outputs'],
      expressionChecker(scopeAt(runbook, runbook.steps.length)),
      yaml,
    ),
  ]);
  return issues.length === 0 ? { runbook, issues } : { issues };
}

interface Context {
  runbook: Runbook;
  catalogue: Catalogue;
  file: Issues;
}

/** What the step at that place may use. */
function scopeAt(runbook: Runbook, place: number): ScopeTypes {
  const ids = runbook.steps.map((step) => step.id);
  return { inputs: runbook.inputs, steps: ids.slice(0, place), laterSteps: ids.slice(place) };
}

function checkInputs(runbook: Runbook, file: Issues): FileIssue[] {
  return Object.entries(runbook.inputs).flatMap(([name, input]) => {
    const path = ['inputs', name];
    if ('minimum' in input && (input.minimum ?? -Infinity) > (input.maximum ?? Infinity)) {
      return [file.issue([...path, 'minimum'], `the minimum is above the maximum, ${input.maximum}`)];
    }
    if (input.default === undefined) return [];
    const { issues } = checkSchema(inputValueSchema(input), input.default);
    return issues.map(({ message, ...rest }) =>
      file.issue([...path, 'default', ...rest.path], message, rest),
    );
  });
}

function checkIds(steps: readonly Step[], file: Issues): FileIssue[] {
  return steps.flatMap(({ id }, place) => {
    const first = steps.findIndex((step) => step.id === id);
    if (first === place) return [];
    return [
      file.issue(['steps', place, 'id'], `steps[${first}] has the id "${id}" already`, {
        hint: 'ids name one step each',
      }),
    ];
  });
}

function checkStep(step: Step, place: number, context: Context): FileIssue[] {
  const { runbook, catalogue, file } = context;
  const path = ['steps', place];
  const scope = scopeAt(runbook, place);
  const once = expressionChecker(scope);
  const loop = checkForEach(step['for-each'], path, { once, catalogue, file });
  const perItem = loop.item === undefined ? once : expressionChecker({ ...scope, item: loop.item });
  return [
    ...loop.issues,
    ...checkLimits(step, path, once, file),
    ...(step.name === undefined ? [] : checkTexts(step.name, [...path, 'name'], once, file)),
    ...(typeof step.if === 'string'
      ? checkTyped(once.condition(step.if), z.boolean(), [...path, 'if'], file)
      : []),
    ...checkUse(step, path, perItem, context),
    ...checkUndo(step, path, once, context),
  ];
}

function checkLimits(step: Step, path: Path, checker: Checker, file: Issues): FileIssue[] {
  return (['max-parallel', 'max-failures'] as const).flatMap((key) => {
    const value = step[key];
    if (value === undefined) return [];
    const at = [...path, key];
    if (step['for-each'] === undefined)
      return [file.issue(at, 'means nothing without for-each', { atKey: true })];
    return typeof value === 'string' ? checkTyped(checker.text(value), z.int(), at, file) : [];
  });
}

function checkUndo(step: Step, path: Path, checker: Checker, context: Context): FileIssue[] {
  if (step.undo === undefined) return [];
  const at = [...path, 'undo'];
  if (step['for-each'] !== undefined) {
    const hint = 'give the undo to a step before it that runs once';
    return [context.file.issue(at, 'a step with for-each has no undo', { atKey: true, hint })];
  }
  return checkUse(step.undo, at, checker, context);
}

function checkUse(use: Step | Undo, path: Path, checker: Checker, { catalogue, file }: Context): FileIssue[] {
  const operation = catalogue.operations.get(use.uses);
  if (operation !== undefined) {
    return checkWith({ path, taker: use.uses, schema: operation.input, given: use.with }, checker, file);
  }
  // What it is given can't be judged, but its expressions can.
  const message = `unknown operation "${use.uses}"`;
  return [
    file.issue([...path, 'uses'], message, { hint: operationHint(use.uses, catalogue) }),
    ...checkTexts(use.with, [...path, 'with'], checker, file),
  ];
}

function operationHint(uses: string, catalogue: Catalogue): string {
  if (uses.includes('${{')) return 'an operation is named as it is, without expressions';
  const keys = [...catalogue.operations.keys()];
  const meant = didYouMean(uses, keys) ?? keys.find((key) => key.split('.')[1] === uses);
  if (meant !== undefined) return `did you mean "${meant}"?`;
  if (catalogue.queries.has(uses.replace(/^query\./, ''))) return 'a query goes into for-each: { query: … }';
  const same = keys.filter((key) => key.split('.')[0] === uses.split('.')[0]);
  return `known are ${(same.length > 0 ? same : keys).toSorted().join(', ')}`;
}
