/** Results on stdout: a table for people, JSON or YAML for programs. */
import type { Command } from 'commander';
import { didYouMean } from '../model/did-you-mean.js';
import { DroverError } from '../model/errors.js';

export interface Output {
  format: 'table' | 'json' | 'yaml';
  /** Of `--json a,b`; null for all. */
  fields: string[] | null;
}

export interface Globals {
  output: Output['format'];
  json?: string;
  config?: string;
  data?: string;
}

export function outputOf(command: Command): Output {
  const { output, json } = command.optsWithGlobals<Globals>();
  if (json === undefined) return { format: output, fields: null };
  const fields = json.split(',').map((field) => field.trim());
  if (fields.some((field) => !/^[A-Za-z]\w*$/.test(field))) {
    throw new DroverError('InvalidInput', `--json takes names of fields, not "${json}"`, {
      hint: 'write --json name,state; for all fields -o json',
    });
  }
  return { format: output === 'yaml' ? 'yaml' : 'json', fields };
}

export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null;
}

/** A list: an array in JSON. `empty` is what people read when there is nothing. */
export async function printList<Row extends object>(
  output: Output,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  empty: string,
): Promise<void> {
  if (output.format !== 'table') return printData(output, rows);
  if (rows.length === 0) return write(empty);
  const cells = rows.map((row) => columns.map(({ value }) => String(value(row) ?? '-')));
  return write(
    await table(
      columns.map(({ title }) => title),
      cells,
    ),
  );
}

/** One thing: an object in JSON, `name  value` lines for people. */
export async function printOne(
  output: Output,
  value: object,
  lines: readonly (readonly [name: string, value: string | number | null | undefined])[],
): Promise<void> {
  if (output.format !== 'table') return printData(output, value);
  const shown = lines.filter(([, text]) => text !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return write(
    shown
      .map(
        ([name, text]) =>
          `${name.padEnd(width)}  ${String(text ?? '-').replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`,
      )
      .join('\n'),
  );
}

export async function printData(output: Output, value: object): Promise<void> {
  const picked = output.fields === null ? value : pick(value, output.fields);
  if (output.format === 'json') return write(JSON.stringify(picked, null, 2));
  const { stringify } = await import('yaml');
  return write(stringify(picked).trimEnd());
}

/** A table without lines, as other tools can cut it. */
export async function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<string> {
  const [{ default: Table }, { paint }] = await Promise.all([import('cli-table3'), import('./paint.js')]);
  const none = Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
    ]
      .concat(['mid', 'mid-mid', 'right', 'right-mid'])
      .map((part) => [part, '']),
  );
  const drawn = new Table({
    head: titles.map((title) => paint.bold(title)),
    chars: { ...none, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function pick(value: object, fields: readonly string[]): object {
  if (Array.isArray(value)) return (value as object[]).map((row) => pick(row, fields));
  const known = Object.keys(value);
  return Object.fromEntries(
    fields.map((field) => {
      if (!known.includes(field)) throw unknownField(field, known);
      return [field, value[field as keyof typeof value]];
    }),
  );
}

function unknownField(field: string, known: readonly string[]): DroverError {
  const meant = didYouMean(field, known);
  return new DroverError('InvalidInput', `--json: there is no field "${field}"`, {
    hint:
      meant === undefined
        ? `the fields are ${known.join(', ')}`
        : `did you mean "${meant}"? The fields are ${known.join(', ')}`,
  });
}

export function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** For the operator, beside the result: a program that reads stdout does not see it. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
