/** How the command line fails: one line what and why, one line what to do; an object with `-o json`. */
import { CommanderError } from 'commander';
import { errorTable } from '../model/error-table.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import { paint } from './paint.js';

/** Work that goes on when the command ends: exit code 6, and nothing went wrong. */
export class StillRunning extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
    this.name = 'StillRunning';
  }
}

const stillRunning = 6;
const wrongUsage = 2;
/** Asked for, or nothing more to say: commander has printed what it had to. */
const harmless = new Set(['commander.helpDisplayed', 'commander.version']);

export function exitCodeOf(error: unknown): number {
  if (error instanceof StillRunning) return stillRunning;
  if (error instanceof DroverError) return errorTable[error.code].exit;
  if (error instanceof CommanderError) return harmless.has(error.code) ? 0 : wrongUsage;
  return 1;
}

export function reportError(error: unknown, argv: readonly string[]): void {
  if (error instanceof CommanderError && (harmless.has(error.code) || error.code === 'commander.help'))
    return;
  const { code, message, details, hint } = describeError(error, argv);
  if (wantsJson(argv)) {
    process.stderr.write(`${JSON.stringify({ code, message, details, hint })}\n`);
  } else {
    const sign = error instanceof StillRunning ? paint.yellow('drover:') : paint.red('drover:');
    process.stderr.write(`${sign} ${message}\n${hint === '' ? '' : `  ${paint.dim('->')} ${hint}\n`}`);
  }
  if (process.env['DROVER_DEBUG'] && error instanceof Error) process.stderr.write(`${chain(error)}\n`);
}

export function describeError(
  error: unknown,
  argv: readonly string[] = [],
): Omit<ErrorRecord, 'code'> & { code: string } {
  if (error instanceof DroverError) return error.toRecord();
  if (error instanceof StillRunning) {
    return { code: 'StillRunning', message: error.message, details: {}, hint: error.hint };
  }
  if (error instanceof CommanderError) return usage(error, argv);
  const message = error instanceof Error ? error.message : String(error);
  const hint = 'this is a bug in drover; run it again with DROVER_DEBUG=1 and report what it prints';
  return { code: 'Internal', message: message.split('\n', 1)[0] ?? message, details: {}, hint };
}

/** Commander puts its suggestion, where it has one, on a second line. */
function usage(error: CommanderError, argv: readonly string[]): Omit<ErrorRecord, 'code'> & { code: string } {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest.join(' ').replaceAll(/[()]/g, '').trim();
  const plain = argv.filter((word) => /^[a-z][a-z-]*$/.test(word));
  const unknown = /^unknown command '(.*)'/.exec(first)?.[1];
  const words = unknown === undefined ? plain.slice(0, 2) : plain.slice(0, plain.indexOf(unknown));
  const help = `see \`${['drover', ...words, '--help'].join(' ')}\``;
  const hint = suggestion === '' ? help : `${suggestion.replace(/^Did/, 'did')} ${help}`;
  return { code: 'InvalidInput', message: first, details: {}, hint };
}

/** Known before the command line is parsed, since parsing it may be what fails. */
export function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, index) =>
      ['-ojson', '--output=json'].includes(word) ||
      word === '--json' ||
      word.startsWith('--json=') ||
      (word === 'json' && ['-o', '--output'].includes(argv[index - 1] ?? '')),
  );
}

function chain(error: Error): string {
  const text = error.stack ?? error.message;
  return error.cause instanceof Error ? `${text}\ncaused by ${chain(error.cause)}` : text;
}
