/** Parses YAML with a guard, and tells its errors in the words of someone who just wants the file to work. */
import { Composer, LineCounter, Parser, type CST, type Document } from 'yaml';

export interface SyntaxIssue {
  offset: number;
  message: string;
  hint?: string;
}

export interface ParsedYaml {
  document?: Document.Parsed;
  lines: LineCounter;
  issues: SyntaxIssue[];
}

const maxLength = 1024 * 1024;
/** Deeper than any file that people write; the parser recurses, and far deeper than this kills the process. */
const maxDepth = 60;

export function parseYaml(source: string): ParsedYaml {
  const lines = new LineCounter();
  const refuse = (offset: number, message: string): ParsedYaml => ({ lines, issues: [{ offset, message }] });
  if (source.length > maxLength) return refuse(0, 'the file is larger than 1 MiB');
  const tokens = [...new Parser(lines.addNewLine).parse(source)];
  const tooDeep = deepest(tokens);
  if (tooDeep !== undefined)
    return refuse(tooDeep, `lists and mappings are nested deeper than ${maxDepth} levels here`);
  // As parseDocument does, but with the tokens that are there already.
  const options = { lineCounter: lines, prettyErrors: false, stringKeys: true };
  const [document, second] = new Composer(options).compose(tokens, true, source.length);
  if (document === undefined) throw new Error('bug: YAML makes a document of everything');
  // One mistake often makes a row of errors; only the first is about what was written.
  const [first] = [...document.errors, ...document.warnings, ...secondDocument(second)].toSorted(
    (one, other) => one.pos[0] - other.pos[0],
  );
  if (first === undefined) return { document, lines, issues: [] };
  const offset = first.pos[0];
  return { document, lines, issues: [{ offset, ...tell(first.code, first.message, source, offset) }] };
}

function secondDocument(
  second: Document.Parsed | undefined,
): { code: string; message: string; pos: readonly [number, number] }[] {
  if (second === undefined) return [];
  const [start, end] = second.range;
  return [{ code: 'MULTIPLE_DOCS', message: '', pos: [start, end] }];
}

/** Where the nesting gets too deep. */
function deepest(tokens: readonly CST.Token[]): number | undefined {
  const todo: [CST.Token, number][] = tokens.map((token) => [token, 0]);
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [token, depth] = next;
    if (depth > maxDepth) return token.offset;
    if (token.type === 'document' && token.value !== undefined) todo.push([token.value, depth + 1]);
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) {
      if (key) todo.push([key, depth + 1]);
      if (value) todo.push([value, depth + 1]);
    }
  }
  return undefined;
}

function tell(code: string, message: string, source: string, offset: number): Omit<SyntaxIssue, 'offset'> {
  const start = source.lastIndexOf('\n', offset - 1) + 1;
  const [line = ''] = source.slice(start).split('\n', 1);
  const expression = line.includes('${{') && code !== 'DUPLICATE_KEY';
  const end = /end with a (.)$/.exec(message)?.[1];
  if (end !== undefined)
    return { message: `a ${end} is missing before this line`, hint: 'close what was opened above' };
  if (code === 'BAD_INDENT' || message.startsWith('Sequence item without')) {
    return {
      message: 'the indentation fits no line above',
      hint: 'keys of one mapping begin in the same column',
    };
  }
  const quote = `YAML reads { } " ! : itself; put the whole value in quotes: '…\${{ … }}…'`;
  switch (code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab can not indent', hint: 'use spaces' };
    case 'DUPLICATE_KEY':
      return {
        message: `the key "${wordAt(source, offset)}" is here a second time`,
        hint: 'remove one of the two',
      };
    case 'MULTIPLE_DOCS':
      return {
        message: 'a second YAML document begins here',
        hint: 'one file holds one; remove the line ---',
      };
    case 'TAG_RESOLVE_FAILED':
      return {
        message: 'a value that begins with ! is a YAML tag',
        hint: "to negate a condition, quote it: '!inputs.x'",
      };
    case 'BAD_SCALAR_START':
      return { message: `a value can not begin with ${source.charAt(offset)}`, hint: 'put it in quotes' };
    case 'NON_STRING_KEY':
      return { message: 'a key must be a text', hint: 'a value that begins with { or [ needs quotes' };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return { message: 'a second ": " on the line', hint: "a value that holds ': ' needs quotes" };
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        message: 'this line is neither key: value nor a list entry',
        hint: 'a key ends in a colon and a space',
      };
    case 'MISSING_CHAR':
      if (message.startsWith('Missing closing'))
        return { message: 'a quote that was opened above is not closed' };
      if (message.startsWith('Implicit map keys'))
        return { message: 'a key without a colon', hint: 'write key: value' };
      break;
    case 'UNEXPECTED_TOKEN':
      if (expression) return { message: 'the expression is not in quotes', hint: quote };
      return {
        message: 'the value has ended before this',
        hint: 'one that begins with a quote, [ or { ends where that closes: put the whole in quotes of the other kind',
      };
  }
  return { message: `YAML: ${message}`, ...(expression ? { hint: quote } : {}) };
}

function wordAt(source: string, offset: number): string {
  return /^["']?([^"':\n]{1,60})/.exec(source.slice(offset))?.[1] ?? '';
}
