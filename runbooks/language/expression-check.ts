/**
 * Types the expressions of a runbook before it runs. Not for workflows: environments are dear to make, and
 * a run takes only runbooks that were checked.
 */
import type { ASTNode, Environment, ObjectSchema } from '@marcbachmann/cel-js';
import type { RunbookInput } from '../../model/runbook.js';
import { language, parseCel } from './cel.js';
import { explainCelError, type ExpressionIssue, type ScopeTypes, type Surroundings } from './cel-messages.js';
import { fieldsOf, typeName } from './cel-types.js';
import { conditionTemplate, parseTemplate, type Template } from './template.js';

export interface CheckedText {
  /** The CEL type of the value: `string` of mixed text; undefined with issues. */
  type?: string;
  /** The parts of the value, where it has named ones. */
  fields: readonly string[];
  issues: ExpressionIssue[];
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
  result: 'dyn',
  done: 'int',
  failed: 'int',
  refused: 'int',
  total: 'int',
  state: 'string',
};

/** Checks texts at one place of the runbook. */
export function expressionChecker(types: ScopeTypes): {
  text(text: string): CheckedText;
  condition(text: string): CheckedText;
} {
  const variables: Record<string, string | ObjectSchema> = {
    inputs: Object.fromEntries(
      Object.entries(types.inputs).map(([name, input]) => [name, celTypes[input.type]]),
    ),
    steps: Object.fromEntries(types.steps.map((id) => [id, stepFields])),
    run: { id: 'string' },
    ...(types.item === undefined ? {} : { item: types.item, index: 'int' }),
  };
  const environment = declare(variables);

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
      const checked = checkOne(environment, piece.source, { variables, types });
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

export type { ScopeTypes } from './cel-messages.js';

/** What an item is when a list of that type is gone through; its numbers come back from JSON, so they are doubles. */
export function itemType(listType: string): string {
  const inner = /^list<(.*)>$/.exec(listType)?.[1] ?? 'dyn';
  if (inner === 'int' || inner === 'uint') return 'double';
  return ['string', 'bool', 'double'].includes(inner) ? inner : 'dyn';
}

function declare(variables: Record<string, string | ObjectSchema>): Environment {
  const environment = language.clone();
  for (const [name, type] of Object.entries(variables)) {
    if (typeof type === 'string') environment.registerVariable(name, type);
    else environment.registerVariable({ name, schema: type });
  }
  return environment;
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
    return { type: type ?? 'dyn', fields: fieldsOf(parsed.ast, surroundings.variables) };
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

const isPlain = (type: string): boolean => !/^(\$|list|map|bytes|type)/.test(type);
const blanks = (source: string): number => source.length - source.trimStart().length;

/** Tells what could be taken instead of the whole. */
export function partsHint(fields: readonly string[]): string | undefined {
  return fields.length === 0 ? undefined : `take one of its parts: ${fields.join(', ')}`;
}
