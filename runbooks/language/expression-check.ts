/**
 * Types the expressions of a runbook before it runs. Not for workflows: environments are dear to make, and
 * a run takes only runbooks that were checked.
 */
import type { ASTNode, Environment, ObjectSchema } from '@marcbachmann/cel-js';
import type { RunbookInput } from '../../model/runbook-inputs.js';
import { language, parseCel } from './cel.js';
import { explainCelError, type ExpressionIssue, type Surroundings } from './cel-messages.js';
import { elementOf, fieldsOf, isNamed, typeName, typeOf, type CelType } from './cel-types.js';
import { wrongWords } from './cel-words.js';
import type { Hidden } from './scope.js';
import { conditionTemplate, parseTemplate, type Template } from './template.js';

export interface CheckedText {
  /** The CEL type of the value: `string` of mixed text; undefined with issues. */
  type?: string;
  /** The parts of the value, where it has named ones. */
  fields: readonly string[];
  issues: ExpressionIssue[];
}

/** What a step gives to those that see it. */
export interface StepType {
  result: CelType;
  outputs: Readonly<Record<string, string>>;
}

/** What may be used at a place of the runbook. */
export interface ScopeTypes {
  inputs: Readonly<Record<string, RunbookInput>>;
  /** By id; undefined where there is no run yet. */
  steps?: Readonly<Record<string, StepType>>;
  /** The other steps, and why they are not seen. */
  hidden?: ReadonlyMap<string, Hidden>;
  /** Within a step with for-each. */
  item?: CelType;
  /** In until and in the outputs of a step. */
  result?: CelType;
  /** In on-failure. */
  error?: boolean;
  /** In the inputs of on.alert. */
  alert?: boolean;
  /** In the inputs of on.schedule. */
  schedule?: boolean;
  /** What the names of types stand for: `query_hosts`. */
  named?: Readonly<Record<string, ObjectSchema>>;
}

const celTypes: Record<RunbookInput['type'], string> = {
  string: 'string',
  host: 'string',
  instance: 'string',
  flavor: 'string',
  duration: 'string',
  integer: 'int',
  number: 'double',
  boolean: 'bool',
  list: 'list<string>',
};

const stepFields = {
  done: 'int',
  failed: 'int',
  refused: 'int',
  total: 'int',
  state: 'string',
  error: 'failure',
};

const failure = { code: 'string', message: 'string' };

const alertType = {
  labels: 'map<string, string>',
  annotations: 'map<string, string>',
  starts_at: 'string',
  fingerprint: 'string',
};

/** Knows what may be asked of a failure, so that each place needs to be told only what it sees. */
const base = language
  .clone()
  .registerType('failure', { schema: failure })
  .registerOperator('failure == null: bool', (left: unknown) => left === null);

/** Checks texts at one place of the runbook. */
export function expressionChecker(types: ScopeTypes): {
  text(text: string): CheckedText;
  condition(text: string): CheckedText;
} {
  const surroundings: Surroundings = {
    inputs: types.inputs,
    hidden: types.hidden ?? new Map(),
    variables: variablesOf(types),
    named: { ...types.named, failure },
  };
  // Environments take longer to make than all else, and most expressions speak of inputs alone.
  const made: { plain?: Environment; whole?: Environment } = {};
  const environment = (source: string): Environment =>
    /\b(steps|run)\b/.test(source)
      ? (made.whole ??= declare(surroundings, types, ['steps', 'run']))
      : (made.plain ??= declare(surroundings, types, []));

  const check = (template: Template): CheckedText => {
    if (template.unclosed !== undefined) {
      return {
        fields: [],
        issues: [
          { offset: template.unclosed, message: 'the expression ${{ is not closed', hint: 'end it with }}' },
        ],
      };
    }
    const issues: ExpressionIssue[] = [];
    let type = 'string';
    let fields: string[] = [];
    for (const piece of template.pieces) {
      if (piece.kind === 'words') {
        issues.push(...otherTongues(piece));
        continue;
      }
      const checked = checkOne(environment(piece.source), piece.source, surroundings);
      if ('issue' in checked) issues.push({ ...checked.issue, offset: piece.offset + checked.issue.offset });
      else if (template.single !== undefined) [type, fields] = [checked.type, checked.fields];
      else if (!isPlain(checked.type)) {
        const message = `${piece.source.trim()} is ${typeName(checked.type)}: that can not stand within a text`;
        issues.push({
          offset: piece.offset + blanks(piece.source),
          message,
          hint: partsHint(checked.fields),
        });
      }
    }
    return issues.length === 0 ? { type, fields, issues } : { fields, issues };
  };
  return { text: (text) => check(parseTemplate(text)), condition: (text) => check(conditionTemplate(text)) };
}

/** What a value of that type is once it was stored as JSON: its numbers are doubles, its times texts. */
export function storedType(type: string): string {
  if (type === 'int' || type === 'uint') return 'double';
  if (type === 'google.protobuf.Duration' || type === 'google.protobuf.Timestamp') return 'string';
  if (['string', 'bool', 'double'].includes(type) || isNamed(type)) return type;
  const element = elementOf(type);
  return element === undefined ? 'dyn' : `list<${storedType(element)}>`;
}

/** What an item is when a list of that type is gone through. */
export function itemType(listType: string): string {
  const type = storedType(elementOf(listType) ?? 'dyn');
  return elementOf(type) === undefined ? type : 'dyn';
}

function variablesOf({
  inputs,
  steps,
  item,
  result,
  error,
  alert,
  schedule,
}: ScopeTypes): Record<string, CelType> {
  return {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, celTypes[input.type]])),
    ...(steps === undefined
      ? {}
      : {
          steps: Object.fromEntries(
            Object.entries(steps).map(([id, step]) => [id, { ...step, ...stepFields }]),
          ),
          run: { id: 'string' },
        }),
    ...(item === undefined ? {} : { item, index: 'int' }),
    ...(result === undefined ? {} : { result }),
    ...(error === true ? { error: failure } : {}),
    ...(alert === true ? { alert: alertType } : {}),
    ...(schedule === true ? { schedule: { name: 'string', time: 'string' } } : {}),
  };
}

/** With the inputs, with what is there only at this place, and with `more`. */
function declare({ variables }: Surroundings, types: ScopeTypes, more: readonly string[]): Environment {
  const below = withInputs(types, variables['inputs'] ?? {});
  const names = ['item', 'index', 'result', 'error', 'alert', 'schedule', ...more].filter(
    (name) => name in variables,
  );
  if (names.length === 0) return below;
  const environment = below.clone();
  for (const name of names) register(environment, name, variables[name] ?? 'dyn');
  return environment;
}

const inputsBefore = new WeakMap<ScopeTypes['inputs'], { named: unknown; environment: Environment }>();
const namedBefore = new WeakMap<object, Environment>();

/** The same for all places of a runbook. */
function withInputs({ inputs, named = none }: ScopeTypes, type: CelType): Environment {
  const before = inputsBefore.get(inputs);
  if (before?.named === named) return before.environment;
  let types = namedBefore.get(named);
  if (types === undefined) {
    types = base.clone();
    for (const [name, schema] of Object.entries(named)) types.registerType(name, { schema });
    namedBefore.set(named, types);
  }
  const environment = types.clone();
  register(environment, 'inputs', type);
  inputsBefore.set(inputs, { named, environment });
  return environment;
}

const none: Record<string, ObjectSchema> = {};

function register(environment: Environment, name: string, type: CelType): void {
  if (typeof type === 'string') environment.registerVariable(name, type);
  else environment.registerVariable({ name, schema: type });
}

function checkOne(
  environment: Environment,
  source: string,
  surroundings: Surroundings,
): { type: string; fields: string[] } | { issue: ExpressionIssue } {
  if (source.trim() === '') return { issue: { offset: 0, message: 'the expression is empty' } };
  let ast: ASTNode | undefined;
  try {
    const parsed = parseCel(environment, source);
    ast = parsed.ast;
    const { type, error } = parsed.check();
    if (error !== undefined) throw error;
    const wrong = wrongWords(parsed.ast, surroundings);
    if (wrong !== undefined) return { issue: wrong };
    const fields = fieldsOf(typeOf(parsed.ast, surroundings), surroundings) ?? {};
    return { type: type ?? 'dyn', fields: Object.keys(fields) };
  } catch (error) {
    return { issue: explainCelError(error, source, ast, surroundings) };
  }
}

/** `{{ x }}` of Jinja and `${x}` of the shell would pass as plain words. */
function otherTongues({ text, offset }: { text: string; offset: number }): ExpressionIssue[] {
  const found = /\{\{|\$\{(?!\{)/.exec(text);
  if (found === null) return [];
  const message = `${found[0]} does not begin an expression`;
  return [{ offset: offset + found.index, message, hint: 'expressions are written ${{ … }}' }];
}

const isPlain = (type: string): boolean => !/^(\$|list|map|bytes|type)/.test(type) && !isNamed(type);
const blanks = (source: string): number => source.length - source.trimStart().length;

/** Tells what could be taken instead of the whole. */
export function partsHint(fields: readonly string[]): string | undefined {
  return fields.length === 0 ? undefined : `take one of its parts: ${fields.join(', ')}`;
}
