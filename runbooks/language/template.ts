/** Finds the expressions `${{ … }}` in texts. Pure: it runs in workflows. */
import { language, parseCel } from './cel.js';

/** A piece of a text: words as they are, or an expression. */
export type Piece =
  { kind: 'words'; text: string; offset: number } | { kind: 'expression'; source: string; offset: number };

export interface Template {
  pieces: readonly Piece[];
  /** Set when the text is nothing but one expression: its value is the expression's, whatever type it has. */
  single?: Extract<Piece, { kind: 'expression' }>;
  /** Where an expression opens that never closes. */
  unclosed?: number;
}

const cache = new Map<string, Template>();
const cacheLimit = 2000;

export function parseTemplate(text: string): Template {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const template = split(text);
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(text, template);
  return template;
}

export function hasExpression(text: string): boolean {
  return text.includes('${{');
}

/** The whole text as one expression: conditions may leave out `${{ }}`. */
export function conditionTemplate(text: string): Template {
  if (hasExpression(text)) return parseTemplate(text);
  const single = { kind: 'expression', source: text, offset: 0 } as const;
  return { pieces: [single], single };
}

function split(text: string): Template {
  const pieces: Piece[] = [];
  let rest = 0;
  for (;;) {
    const open = text.indexOf('${{', rest);
    if (open < 0) break;
    const close = findClose(text, open + 3);
    if (close === undefined) return { pieces, unclosed: open };
    if (open > rest) pieces.push({ kind: 'words', text: text.slice(rest, open), offset: rest });
    pieces.push({ kind: 'expression', source: text.slice(open + 3, close), offset: open + 3 });
    rest = close + 2;
  }
  if (rest < text.length) pieces.push({ kind: 'words', text: text.slice(rest), offset: rest });
  // YAML's block texts end in a newline that nobody meant.
  const telling = pieces.filter((piece) => piece.kind === 'expression' || piece.text.trim() !== '');
  const [first] = telling;
  return telling.length === 1 && first?.kind === 'expression' ? { pieces, single: first } : { pieces };
}

/** A map within an expression may end in `}}` too: the expression ends at the first `}}` that leaves it complete. */
function findClose(text: string, from: number): number | undefined {
  const first = text.indexOf('}}', from);
  if (first < 0) return undefined;
  // Neither a map nor a text in it: nothing else can end here.
  if (!/[{}"']/.test(text.slice(from, first + 3).replace('}}', ''))) return first;
  let close = first;
  for (let tries = 0; close >= 0 && tries < 20; tries++) {
    // `}}}`: the last two close it.
    const candidates = text[close + 2] === '}' ? [close + 1, close] : [close];
    for (const candidate of candidates) {
      if (parses(text.slice(from, candidate))) return candidate;
    }
    close = text.indexOf('}}', close + 1);
    const next = text.indexOf('${{', from);
    if (next >= 0 && close > next) break;
  }
  return first;
}

function parses(source: string): boolean {
  try {
    parseCel(language, source);
    return true;
  } catch {
    return false;
  }
}
