import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { runbookCatalogue } from '../../client/catalogue.js';
import { formatIssues } from '../../config/yaml-file.js';
import { DroverError } from '../../model/errors.js';
import { parseKeyValues } from '../../runbooks/language/inputs.js';
import { runbookJsonSchema } from '../../runbooks/language/json-schema.js';
import {
  checkFiles,
  findRunbook,
  libraryCatalogue,
  listRunbooks,
  loadRunbook,
  type ListedRunbook,
} from '../../runbooks/language/load.js';
import { configOf } from '../context.js';
import { outputOf, printData, printList, table, write } from '../output.js';
import { addRunOptions } from '../waiting.js';

const collect = (value: string, before: string[]): string[] => [...before, value];
const named = ['<runbook>', 'its name, or the path of its file'] as const;

export function register(runbook: Command): void {
  runbook
    .command('list')
    .description('List the runbooks that can be run by name.')
    .action(async (_options: unknown, command: Command) => {
      const { runbooks } = await configOf(command);
      const rows = (await listRunbooks(runbooks, runbookCatalogue())).map(listed);
      await printList(outputOf(command), rows, columns, 'no runbooks');
    });
  runbook
    .command('show')
    .description('Show a runbook: what it does and what inputs it takes.')
    .argument(...named)
    .option('--source', 'the text of its file')
    .action((name: string, _options: unknown, command: Command) => show(name, command));
  runbook
    .command('check')
    .description('Check files, without running anything: each mistake with its file, line and column.')
    .argument('<file...>', 'files of runbooks')
    .action((files: string[], _options: unknown, command: Command) => check(files, command));
  runbook
    .command('schema')
    .description('Print the JSON Schema of runbooks, from which editors complete and explain them.')
    .action(async (_options: unknown, command: Command) => {
      const { runbooks } = await configOf(command);
      const catalogue = await libraryCatalogue(runbooks, runbookCatalogue());
      write(JSON.stringify(runbookJsonSchema(catalogue), null, 2));
    });
  const run = runbook
    .command('run')
    .description('Run a runbook.')
    .argument(...named)
    .option('-i, --input <name=value>', 'an input; may be given more than once', collect, []);
  addRunOptions(run);
  run.action(async (name: string) => {
    const inputs = parseKeyValues(run.opts<{ input: string[] }>().input);
    const { runCommand } = await import('../run-command.js');
    await runCommand(run, name, inputs);
  });
}

const listed = ({ name, file, runbook, issues }: ListedRunbook) => ({
  name,
  description: runbook?.description ?? null,
  inputs: Object.keys(runbook?.inputs ?? {}),
  file,
  valid: issues.length === 0,
});
type Row = ReturnType<typeof listed>;

const columns = [
  { title: 'NAME', value: (row: Row) => row.name },
  { title: 'INPUTS', value: (row: Row) => row.inputs.join(', ') || null },
  {
    title: 'DESCRIPTION',
    value: (row: Row) => row.description ?? `has mistakes: see \`drover runbook check ${row.file}\``,
  },
];

async function show(name: string, command: Command): Promise<void> {
  const { runbooks } = await configOf(command);
  const output = outputOf(command);
  if (command.opts<{ source?: true }>().source) {
    process.stdout.write((await findRunbook(name, runbooks)).source);
    return;
  }
  const { runbook, digest, runbooks: used = {} } = await loadRunbook(name, runbooks, runbookCatalogue());
  const uses = Object.keys(used).toSorted();
  if (output.format !== 'table') return printData(output, { ...runbook, digest, uses });
  write(`${runbook.name}: ${runbook.description}\n`);
  const inputs = Object.entries(runbook.inputs).map(([key, input]) => [
    key,
    input.type,
    input.default === undefined ? 'required' : String(input.default),
    input.description ?? '',
  ]);
  if (inputs.length > 0) write(`${await table(['INPUT', 'TYPE', 'DEFAULT', 'DESCRIPTION'], inputs)}\n`);
  const { stepColumns, stepRows } = await import('../runbook-steps.js');
  write(await table(stepColumns, stepRows(runbook)));
  if (runbook.concurrency !== undefined) {
    const { concurrency } = runbook;
    write(
      `\none run at a time with the key ${typeof concurrency === 'string' ? concurrency : concurrency.key}`,
    );
  }
  if (uses.length > 0)
    write(`\nuses the runbooks ${uses.join(', ')}: see each with \`drover runbook show NAME\``);
}

async function check(files: readonly string[], command: Command): Promise<void> {
  const catalogue = runbookCatalogue();
  const { runbooks } = await configOf(command);
  const texts = await Promise.all(files.map(async (file) => ({ file, source: await textOf(file) })));
  const found = await checkFiles(texts, runbooks, catalogue);
  const checked = files.map((file, place) => ({ file, issues: found[place] ?? [] }));
  const issues = checked.flatMap((one) => one.issues);
  const output = outputOf(command);
  if (output.format === 'table') {
    for (const one of checked) write(one.issues.length === 0 ? `${one.file}: ok` : formatIssues(one.issues));
  } else {
    await printData(
      output,
      checked.map((one) => ({ file: one.file, valid: one.issues.length === 0, issues: one.issues })),
    );
  }
  if (issues.length === 0) return;
  const wrong = checked.filter((one) => one.issues.length > 0).length;
  throw new DroverError('InvalidRunbook', `${issues.length} mistakes in ${wrong} of ${files.length} files`, {
    details: { issues },
    hint: 'correct the places named above',
  });
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'this user may not read it',
    }[code];
    throw new DroverError('NotFound', `${file} can not be read: ${why ?? String(error)}`, {
      hint: 'name the file of a runbook',
    });
  }
}
