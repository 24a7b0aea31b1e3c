/** Long-lived child processes with their output in a log file. */
// Not execa: it would carry the output through us or wants descriptors 3 to 9, and the log must outlive us.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rotateLog } from './logs.js';
import { identify, type ProcessId } from './processes.js';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface Child {
  readonly id: ProcessId;
  /** Ends with a few words on how it ended, for example `exit code 1`; never rejects. */
  readonly exited: Promise<string>;
  /** From now on it doesn't keep this process alive. */
  unref(): void;
}

/**
 * Starts it with stdout and stderr appended to `logFile`: a file, not a pipe, because a child that outlives us
 * must not die of the broken pipe. `detached` gives it its own process group, out of reach of the terminal's Ctrl-C;
 * otherwise it ends with us.
 */
export function startChild(
  { command, args, env = process.env }: Command,
  { logFile, detached }: { logFile: string; detached: boolean },
): Child {
  rotateLog(logFile);
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { stdio: ['ignore', log, log], env, detached });
  closeSync(log);
  const endWithUs = (): void => void child.kill('SIGTERM');
  if (!detached) process.once('exit', endWithUs);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  return {
    id: child.pid === undefined ? { pid: 0, startTime: '' } : identify(child.pid),
    exited: exited.finally(() => process.off('exit', endWithUs)),
    unref: () => child.unref(),
  };
}

/** The environment without the Temporal settings of the shell: an address, TLS or the key of a production profile. */
export function withoutTemporal(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
