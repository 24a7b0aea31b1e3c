/**
 * `drover dev`: Temporal and drover's processes on one machine, state kept in a data folder. It supervises: what
 * dies is started again, and what an earlier `drover dev` left behind after a kill is found and ended.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DroverError } from '../model/errors.js';
import { findTemporal } from '../temporal/binary.js';
import { startChild, type Child, type Command } from '../temporal/child.js';
import { readDevFile, type DevFile } from '../temporal/dev-file.js';
import { endLeftovers, processesOf } from '../temporal/dev-leftovers.js';
import { DevSession, DRAIN_MS, type ChildSpec } from '../temporal/dev-session.js';
import { tryLock } from '../temporal/lock.js';
import { LogFollower } from '../temporal/logs.js';
import { endProcess, isAlive } from '../temporal/processes.js';
import { aborted, catchSignals } from '../temporal/signals.js';

export type { ChildSpec } from '../temporal/dev-session.js';

export interface DevOptions {
  /** Default `.drover`. */
  readonly dataDir?: string;
  /** Default 127.0.0.1: Temporal authorizes nobody, so another address opens it to that network. */
  readonly ip?: string;
  /** Default 7233. */
  readonly port?: number;
  /** Default 8233. */
  readonly uiPort?: number;
  /** Worker, gateway and so on; they get TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE. */
  readonly children: readonly ChildSpec[];
  /** Done once the folder is ours, before anything starts; answers lines on how to go on, printed when all is up. */
  readonly prepare?: () => Promise<readonly string[]>;
  readonly print?: (line: string) => void;
}

const DEFAULT_DATA = '.drover';
const DETACHED = 'DROVER_DEV_DETACHED';
/** The longest clean end of a supervisor: drain, server, and something for a busy machine. */
const END_MS = DRAIN_MS + 20_000;
/** Server and children each have a minute; the binary is there before. */
const DETACH_READY_MS = 120_000;

/** Runs until Ctrl-C, SIGTERM or SIGHUP; resolves to the exit code. A second Ctrl-C doesn't wait for workers. */
export async function runDev(options: DevOptions): Promise<number> {
  const dataDir = resolve(options.dataDir ?? DEFAULT_DATA);
  const print = options.print ?? printLine;
  mkdirSync(dataDir, { recursive: true });
  const lock = tryLock(join(dataDir, 'dev.lock'));
  if (!lock.held) throw runsAlready(dataDir, lock.holder);
  const signals = catchSignals();
  try {
    const left = readDevFile(dataDir);
    if (left !== undefined) await endLeftovers(dataDir, left, print);
    const nextSteps = (await options.prepare?.()) ?? [];
    const { path: binary } = await findTemporal({ say: print, signal: signals.end });
    const follow = process.env[DETACHED] !== '1';
    const session = await DevSession.start({ ...options, binary, dataDir, say: print, follow }, signals.end);
    try {
      const late = await session.untilReady(signals.end);
      for (const name of late) print(`${name} is not ready yet; log: ${join(dataDir, `${name}.log`)}`);
      if (!signals.end.aborted) tellReady(session, dataDir, nextSteps, print);
      await aborted(signals.end);
    } finally {
      print(
        `ending: running work gets up to ${DRAIN_MS / 1000} s (Ctrl-C again: at once); the state stays in ${dataDir}`,
      );
      await session.end(signals.hurry);
    }
  } catch (error) {
    // Ended by the operator while something was still starting.
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  } finally {
    signals.release();
    lock.release();
  }
  print('ended');
  return 0;
}

/** Starts `self`, the command line that calls runDev, in the background; resolves once all is up. */
export async function detachDev(options: Omit<DevOptions, 'children'>, self: Command): Promise<void> {
  const dataDir = resolve(options.dataDir ?? DEFAULT_DATA);
  const print = options.print ?? printLine;
  const running = runningDev(dataDir);
  if (running !== undefined) throw runsAlready(dataDir, running.pid);
  mkdirSync(dataDir, { recursive: true });
  // Here, where the operator sees the progress: it can take minutes.
  const { path } = await findTemporal({ say: print });
  const logFile = join(dataDir, 'dev.log');
  const log = new LogFollower(logFile);
  const env = { ...(self.env ?? process.env), DROVER_TEMPORAL_BIN: path, [DETACHED]: '1' };
  const child = startChild({ ...self, env }, { logFile, detached: true });
  const failed = await readyOrFailed(dataDir, child);
  if (failed !== undefined) {
    const said = log.read().filter((line) => line.trim() !== '');
    throw new DroverError(
      'TemporalUnreachable',
      `drover dev did not start (${failed}): ${said.slice(-3).join(' | ')}`,
      {
        hint: `see ${logFile}`,
      },
    );
  }
  for (const line of log.read()) print(line);
  print(`runs in the background (pid ${child.id.pid}, log ${logFile}); \`drover dev --stop\` ends it`);
  child.unref();
}

/** Ends the `drover dev` of a data folder, also what a killed one left; false when there was nothing to end. */
export async function stopDev({
  dataDir: folder,
  print = printLine,
}: Pick<DevOptions, 'dataDir' | 'print'>): Promise<boolean> {
  const dataDir = resolve(folder ?? DEFAULT_DATA);
  const file = readDevFile(dataDir);
  if (file === undefined || ![file, ...processesOf(file)].some(isAlive)) {
    print(`no drover dev runs on ${dataDir}`);
    return false;
  }
  await endProcess(file, { graceMs: END_MS });
  await endLeftovers(dataDir, file, print);
  print(`ended the drover dev of ${dataDir}; its state stays there`);
  return true;
}

/** The living `drover dev` of a data folder. */
export function runningDev(dataDir: string = DEFAULT_DATA): DevFile | undefined {
  const file = readDevFile(dataDir);
  return file !== undefined && isAlive(file) ? file : undefined;
}

/** Undefined once all is up, otherwise in a few words why not. */
async function readyOrFailed(dataDir: string, child: Child): Promise<string | undefined> {
  const deadline = Date.now() + DETACH_READY_MS;
  while (Date.now() < deadline) {
    const file = readDevFile(dataDir);
    if (file?.pid === child.id.pid && file.ready) return undefined;
    const ended = await Promise.race([child.exited, delay(100, undefined)]);
    if (ended !== undefined) return ended;
  }
  return `not ready within ${DETACH_READY_MS / 1000} s`;
}

function tellReady(
  session: DevSession,
  dataDir: string,
  next: readonly string[],
  print: (line: string) => void,
): void {
  print(`Temporal UI  ${session.uiUrl}`);
  print(`Temporal     ${session.address}`);
  print(`data folder  ${dataDir}`);
  const elsewhere = process.env['TEMPORAL_ADDRESS'];
  if (elsewhere !== undefined && elsewhere !== session.address) {
    print(`note: TEMPORAL_ADDRESS=${elsewhere} is set here, so other drover commands in this shell go there`);
  }
  for (const line of next) print(line);
}

function runsAlready(dataDir: string, pid: number): DroverError {
  return new DroverError('WrongState', `a drover dev runs on ${dataDir} already (pid ${pid})`, {
    details: { dataDir, pid },
    hint: 'use it, end it with Ctrl-C or `drover dev --stop`, or choose another folder with --data DIR',
  });
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
