/** Commands on hosts that are runbooks, with their inputs as options. */
import type { Command } from 'commander';
import { loadConfig } from '../config/config.js';
import type { RunbookInput } from '../model/runbook-inputs.js';
import { flagName, sentence } from './schema-options.js';
import { addRunOptions } from './waiting.js';

const commands = {
  drain: {
    runbook: 'drain-host',
    does: 'Move all instances of a host elsewhere while they run, and keep new ones away.',
  },
  undrain: {
    runbook: 'undrain',
    does: 'Enable a host again, and bring back while they run the instances that were moved away from it.',
  },
  reboot: {
    runbook: 'reboot-host',
    does: 'Reboot a host without stopping its instances: maintenance, drain, reboot, and open it again.',
  },
} as const;

export async function registerHostRunbooks(host: Command, argv: readonly string[]): Promise<void> {
  for (const [name, { runbook, does }] of Object.entries(commands)) {
    const command = host.command(name).description(does).argument('<host>', 'name of the host');
    // Its options are those of the runbook: read only when they are asked for.
    const inputs = argv.includes(name) ? await inputsOf(runbook, argv) : {};
    const options = Object.entries(inputs).filter(([input]) => input !== 'host');
    for (const [input, declared] of options) command.option(flagOf(input, declared), describe(declared));
    addRunOptions(command);
    command.action(async (subject: string) => {
      const values = command.opts<Record<string, unknown>>();
      const given = options.flatMap(([input]) => {
        const value = values[camel(flagName(input))];
        return value === undefined ? [] : [[input, value] as const];
      });
      const { runCommand } = await import('./run-command.js');
      await runCommand(command, runbook, { host: subject, ...Object.fromEntries(given) });
    });
  }
}

async function inputsOf(runbook: string, argv: readonly string[]): Promise<Record<string, RunbookInput>> {
  const { runbookCatalogue } = await import('../client/catalogue.js');
  const { loadRunbook } = await import('../runbooks/language/load.js');
  const at = argv.indexOf('--config');
  const { runbooks } = await loadConfig({ file: at < 0 ? undefined : argv[at + 1] });
  return (await loadRunbook(runbook, runbooks, runbookCatalogue())).runbook.inputs;
}

function flagOf(input: string, { type, default: standard }: RunbookInput): string {
  const flag = flagName(input);
  if (type === 'boolean') return standard === true ? `--no-${flag}` : `--${flag}`;
  return `--${flag} <${type === 'duration' ? 'duration' : type === 'integer' ? 'number' : 'value'}>`;
}

const describe = ({ type, description = '', default: standard }: RunbookInput): string =>
  type === 'boolean'
    ? `${standard === true ? 'do not: ' : ''}${sentence(description)}`
    : `${sentence(description)}${standard === undefined ? '' : ` (default: ${String(standard)})`}`;

const camel = (flag: string): string =>
  flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
