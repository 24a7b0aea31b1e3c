/** Runs a program that may never end: with our own limit, after which all that it started is ended, too. */
import { spawn } from 'node:child_process';

export interface Ran {
  /** null when it was ended at its limit, or by a signal. */
  code: number | null;
  out: string;
  err: string;
  overdue: boolean;
  seconds: number;
}

/** What an agent says is a few lines; more would be a debug log. */
const mostSaid = 20_000;

export async function runProgram(
  file: string,
  {
    args = [],
    input = '',
    env = {},
    limitMs,
  }: { args?: readonly string[]; input?: string; env?: Record<string, string>; limitMs: number },
): Promise<Ran> {
  const begun = performance.now();
  // A group of its own: agents start ssh, ipmitool and shells, which would outlive them.
  const child = spawn(file, args, { detached: true, env: { ...agentEnv(), ...env }, stdio: 'pipe' });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out = (out + text).slice(0, mostSaid)));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-mostSaid)));
  // An agent that ends before it has read its parameters says why itself.
  child.stdin.on('error', () => undefined).end(input);
  let overdue = false;
  const limit = setTimeout(() => {
    overdue = true;
    endGroup(child.pid);
    // A process of the group that escaped may still hold the pipes.
    child.stdout.destroy();
    child.stderr.destroy();
  }, limitMs);
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      err += error.message;
      resolve(null);
    });
    // What it left running would go on with our secrets, and hold the pipes.
    child.once('exit', () => endGroup(child.pid));
    child.once('close', (ended) => resolve(ended));
  });
  clearTimeout(limit);
  return { code: overdue ? null : code, out, err, overdue, seconds: round(performance.now() - begun) };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/** Little: the worker's own environment holds other secrets, and a proxy is no way to a BMC. */
function agentEnv(): Record<string, string> {
  const { PATH = '', HOME = '/' } = process.env;
  return { PATH: `${PATH}:/usr/sbin:/sbin:/usr/bin:/bin`, HOME, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
}

const round = (ms: number): number => Math.round(ms / 100) / 10;
