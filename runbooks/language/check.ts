/**
 * Everything that can be known to be wrong with a runbook before it runs. What passes here runs: the
 * interpreter looks at values only.
 */
import {
  checkSchema,
  pathText,
  readYaml,
  sortIssues,
  type FileIssue,
  type YamlFile,
} from '../../config/yaml-file.js';
import { inputValueSchema } from '../../model/runbook-inputs.js';
import { runbookSchema, type Runbook } from '../../model/runbook.js';
import type { Catalogue, Signature } from './catalogue.js';
import { checkStep, scopeOf, type Around } from './check-step.js';
import { checkDuration, checkOutputs } from './check-values.js';
import { checkTyped, type Issues } from './check-with.js';
import { expressionChecker } from './expression-check.js';
import { checkTriggers } from './check-triggers.js';
import { explainForeign } from './foreign-keys.js';
import { sightOfEnd, stepPlaces, type StepPlace } from './scope.js';
import { wanted } from './types.js';

export interface CheckedRunbook {
  /** Only without issues. */
  runbook?: Runbook;
  /** What it takes and gives; also only without issues. */
  signature?: Signature;
  issues: FileIssue[];
}

/** `file` is only the name in the issues. */
export function checkRunbook(source: string, file: string, catalogue: Catalogue): CheckedRunbook {
  return checkParsed(readYaml(source, file, runbookSchema), catalogue);
}

export function checkParsed(yaml: YamlFile<Runbook>, catalogue: Catalogue): CheckedRunbook {
  if (yaml.value === undefined) return { issues: yaml.issues.map(explainForeign) };
  const runbook = yaml.value;
  const around: Around = { runbook, catalogue, file: yaml, types: {} };
  const places = stepPlaces(runbook);
  const steps = places.flatMap((place) => checkStep(place, around));
  const end = expressionChecker(scopeOf(sightOfEnd(runbook), around));
  const outputs = checkOutputs(runbook.outputs, ['outputs'], end, yaml);
  const issues = sortIssues([
    ...checkInputs(runbook, yaml),
    ...checkConcurrency(runbook, yaml),
    ...checkTriggers(runbook, yaml),
    ...checkIds(places, yaml),
    ...steps,
    ...outputs.issues,
  ]);
  if (issues.length > 0) return { issues };
  return { runbook, issues, signature: { inputs: runbook.inputs, outputs: outputs.types } };
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

/** The key is made before the run begins, so it sees the inputs alone. */
function checkConcurrency({ concurrency, inputs }: Runbook, file: Issues): FileIssue[] {
  if (concurrency === undefined) return [];
  const before = expressionChecker({ inputs });
  if (typeof concurrency === 'string')
    return checkTyped(before.text(concurrency), wanted.text, ['concurrency'], file);
  const { key, wait } = concurrency;
  return [
    ...checkTyped(before.text(key), wanted.text, ['concurrency', 'key'], file),
    ...(wait === '0s' ? [] : checkDuration(wait, ['concurrency', 'wait'], before, file)),
  ];
}

function checkIds(places: readonly StepPlace[], file: Issues): FileIssue[] {
  const first = new Map<string, StepPlace>();
  return places.flatMap((place) => {
    const { id } = place.step;
    const other = first.get(id);
    if (other === undefined) {
      first.set(id, place);
      return [];
    }
    const hint = 'ids name one step each in the whole runbook';
    return [
      file.issue([...place.path, 'id'], `${pathText(other.path)} has the id "${id}" already`, { hint }),
    ];
  });
}
