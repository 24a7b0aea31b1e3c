/** The built command line as an operator has it: processes of their own, in a folder of their own. */
import { resolve } from 'node:path';
import { execa } from 'execa';

/** `npm test` builds it before. */
export const main = resolve(import.meta.dirname, '../../dist/cli/main.js');

interface Said {
  code: number;
  out: string;
  err: string;
}

/** `env` is the whole environment of the commands; `program` what is run instead of drover's own. */
export function openCli(cwd: string, env: NodeJS.ProcessEnv, program = main) {
  /** A command that goes on while the test does something else; never throws for its exit code. */
  function background(...args: string[]) {
    return execa(process.execPath, [program, ...args], {
      env: { ...env, NO_COLOR: '1' },
      extendEnv: false,
      cwd,
      reject: false,
      stdin: 'ignore',
      // A worker serves the whole file of tests, which may take longer than any command.
      ...(args[0] === 'worker' || args[0] === 'gateway' ? {} : { timeout: 220_000 }),
    });
  }

  /** Runs the command line; never throws for its exit code. */
  async function drover(...args: string[]): Promise<Said> {
    const done = await background(...args);
    return { code: done.exitCode ?? -1, out: done.stdout, err: done.stderr };
  }

  /** Runs it and expects exit code 0. */
  async function ok(...args: string[]): Promise<string> {
    const said = await drover(...args);
    if (said.code !== 0)
      throw new Error(`drover ${args.join(' ')} ended with ${said.code}\n${said.out}\n${said.err}`);
    return said.out;
  }

  async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    return JSON.parse(await ok(...args, '-o', 'json')) as T;
  }

  return { background, drover, ok, json };
}
