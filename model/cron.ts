/**
 * Cron expressions as drover takes them: five fields, strictly. Temporal takes more (a sixth field, @daily, names cut short) and
 * reads `#` as the beginning of a comment; what is accepted here means there what it says here.
 */

interface Field {
  name: string;
  from: number;
  to: number;
  /** Of the numbers from `from` on. */
  words: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const monthField: Field = { name: 'month', from: 1, to: 12, words: months };
const fields: readonly Field[] = [
  { name: 'minute', from: 0, to: 59, words: [] },
  { name: 'hour', from: 0, to: 23, words: [] },
  { name: 'day of the month', from: 1, to: 31, words: [] },
  monthField,
  { name: 'day of the week', from: 0, to: 7, words: days },
];

export interface CronProblem {
  message: string;
  /** Characters from the beginning of the text. */
  offset: number;
  hint?: string;
}

/** What is wrong with it; undefined where nothing is. */
export function cronProblem(text: string): CronProblem | undefined {
  const given = [...text.matchAll(/\S+/g)].map(({ 0: word, index }) => ({ word, offset: index }));
  if (given.length !== fields.length) {
    const hint = 'minute, hour, day of the month, month, day of the week: "0 3 * * sun"';
    return { message: `must have five fields, not ${given.length}`, offset: 0, hint };
  }
  for (const [place, field] of fields.entries()) {
    const { word = '', offset = 0 } = given[place] ?? {};
    const message = fieldProblem(word, field);
    if (message !== undefined) return { message, offset };
  }
  return neverComes(given.map(({ word }) => word));
}

function fieldProblem(word: string, field: Field): string | undefined {
  for (const part of word.split(',')) {
    const match = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part);
    const wrong = `the ${field.name} "${part}"`;
    if (match === null || (match[1] === '*' && match[2] !== undefined))
      return `${wrong} must be *, a value, a range a-b, or one of them with a step /n`;
    const [, first = '*', last, step] = match;
    const [low, high] = [valueOf(first, field), last === undefined ? undefined : valueOf(last, field)];
    const span = `${field.from} to ${field.to}${field.words.length > 0 ? `, or ${field.words.join(', ')}` : ''}`;
    if (low === null || high === null) return `${wrong} must be of ${span}`;
    if (high !== undefined && low !== undefined && high < low)
      return `${wrong} ends before it begins: write it as two, with a comma`;
    const size = field.to - field.from + 1;
    if (step !== undefined && (Number(step) < 1 || Number(step) >= size))
      return `${wrong} must have a step from 1 to ${size - 1}`;
  }
  return undefined;
}

/** Undefined for `*`, null for what is none. */
function valueOf(word: string, { from, to, words }: Field): number | null | undefined {
  if (word === '*') return undefined;
  const named = words.indexOf(word.toLowerCase());
  if (named >= 0) return from + named;
  const value = /^\d{1,2}$/.test(word) ? Number(word) : -1;
  return value >= from && value <= to ? value : null;
}

const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Temporal takes 30 February, and then nothing ever happens. */
function neverComes([, , day = '*', month = '*']: readonly string[]): CronProblem | undefined {
  const plain = /^\d+(,\d+)*$/;
  if (!plain.test(day)) return undefined;
  const first = Math.min(...day.split(',').map(Number));
  const numbers = month.split(',').map((word) => valueOf(word, monthField));
  if (numbers.some((number) => typeof number !== 'number')) return undefined;
  if (numbers.some((number) => (longest[(number ?? 1) - 1] ?? 31) >= first)) return undefined;
  return { message: `the day ${first} never comes in month ${month}`, offset: 0 };
}
