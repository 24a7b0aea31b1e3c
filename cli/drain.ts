/** `drover host drain` is the runbook drain-host, with its inputs as options. */
import type { Command } from 'commander';
import { loadConfig } from '../config/config.js';
import type { RunbookInput } from '../model/runbook.js';
import { flagName, sentence } from './schema-options.js';
import { addRunOptions } from './waiting.js';

const runbookName = 'drain-host';

export async function registerDrain(host: Command, argv: readonly string[]): Promise<void> {
  const command = host
    .command('drain')
    .description('Move all instances of a host elsewhere while they run, and keep new ones away.')
    .argument('<host>', 'name of the host');
  // Its options are those of the runbook: read only when they are asked for.
  const inputs = argv.includes('drain') ? await inputsOf(argv) : {};
  const options = Object.entries(inputs).filter(([name]) => name !== 'host');
  for (const [name, input] of options)
    command.option(
      `--${flagName(name)} <${input.type === 'duration' ? 'duration' : input.type === 'integer' ? 'number' : 'value'}>`,
      describe(input),
    );
  addRunOptions(command);
  command.action(async (name: string) => {
    const values = command.opts<Record<string, unknown>>();
    const given = options.flatMap(([input]) => {
      const value = values[camel(flagName(input))];
      return value === undefined ? [] : [[input, value] as const];
    });
    const { runCommand } = await import('./run-command.js');
    await runCommand(command, runbookName, { host: name, ...Object.fromEntries(given) });
  });
}

async function inputsOf(argv: readonly string[]): Promise<Record<string, RunbookInput>> {
  const { runbookCatalogue } = await import('../client/catalogue.js');
  const { loadRunbook } = await import('../runbooks/language/load.js');
  const at = argv.indexOf('--config');
  const { runbooks } = await loadConfig({ file: at < 0 ? undefined : argv[at + 1] });
  return (await loadRunbook(runbookName, runbooks, runbookCatalogue())).runbook.inputs;
}

const describe = ({ description = '', default: standard }: RunbookInput): string =>
  `${sentence(description)}${standard === undefined ? '' : ` (default: ${String(standard)})`}`;

const camel = (flag: string): string =>
  flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
