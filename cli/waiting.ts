/** Waiting for work: how long, and what Ctrl-C means. */
import type { Command } from 'commander';
import { parseDuration } from '../model/duration.js';
import { DroverError } from '../model/errors.js';
import { note } from './output.js';

export interface WaitOptions {
  wait: boolean;
  timeoutSeconds: number | undefined;
}

export function addWaitOptions(command: Command): Command {
  return command
    .option('--wait', 'wait for the end and tell how it goes (the default)')
    .option('--no-wait', 'return as soon as it has started')
    .option(
      '--timeout <duration>',
      'stop waiting after this long, such as 10m; the work goes on (exit code 6)',
    );
}

/** Of a run: its waiting, its dry run, its force. */
export const addRunOptions = (command: Command): Command =>
  addWaitOptions(command)
    .option('--dry-run', 'tell the steps and what they would work on now, but do nothing')
    .option('--force', 'work on locked instances too; for administrators');

export function waitOptionsOf(command: Command): WaitOptions {
  const { wait, timeout } = command.opts<{ wait?: boolean; timeout?: string }>();
  const timeoutSeconds = timeout === undefined ? undefined : parseDuration(timeout);
  if (timeout !== undefined && timeoutSeconds === undefined) {
    throw new DroverError(
      'InvalidInput',
      `--timeout takes a length of time with its unit, such as 90s or 10m, not "${timeout}"`,
    );
  }
  return { wait: wait ?? true, timeoutSeconds };
}

/** While `work` waits, Ctrl-C ends the waiting and not the work; a second one ends the command at once. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** Asks for a yes where somebody can give one; refuses with ConfirmationNeeded where nobody can. */
export async function confirm(question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (process.stdin.isTTY && process.stdout.isTTY) {
    const { createInterface } = await import('node:readline/promises');
    const asking = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await asking.question(`${question} Type yes to go on: `).finally(() => asking.close());
    if (answer.trim().toLowerCase() === 'yes') return;
    note('nothing was done');
    throw new DroverError('ConfirmationNeeded', 'it was not confirmed', { hint: 'type yes, or give --yes' });
  }
  throw new DroverError('ConfirmationNeeded', question);
}
