/** Temporal's development server as a child process: one machine, its data in one SQLite file. */
import { Connection } from '@temporalio/client';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DroverError } from '../model/errors.js';
import { searchAttributes } from '../model/search-attributes.js';
import { startChild, withoutTemporal } from './child.js';
import { logTail } from './logs.js';
import { forward, listenAddress, type Forward } from './forward.js';
import { assertPortFree } from './ports.js';
import { endProcess, type ProcessId } from './processes.js';
import { ensureSearchAttributes } from './search-attributes.js';

export interface DevServerOptions {
  /** The `temporal` CLI, from `findTemporal`. */
  readonly binary: string;
  /** Holds temporal.db and temporal.log; made when missing. */
  readonly dataDir: string;
  /**
   * Default 127.0.0.1. The server authorizes nobody: another address opens it to that network. An address that is
   * neither loopback nor 0.0.0.0 is forwarded by this process and ends with it.
   */
  readonly ip?: string;
  /** Default 7233. */
  readonly port?: number;
  /** Default 8233. */
  readonly uiPort?: number;
  /** True: it leads its own process group, gets no Ctrl-C of the terminal and outlives us. */
  readonly detached?: boolean;
  /** Called at once after the start, before it answers. */
  readonly onStart?: (id: ProcessId) => void;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface DevServer {
  readonly id: ProcessId;
  /** As a client on this machine uses it, for example `127.0.0.1:7233`. */
  readonly address: string;
  readonly uiUrl: string;
  readonly namespace: string;
  readonly logFile: string;
  /** Ends with a few words on how it ended; never rejects. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/**
 * The server's own defaults cost about 100 ms a workflow step: its one history shard polls 20 times a second, and
 * an activity waits for a task queue. Priorities and fairness keys do nothing until fairness is on.
 * The server takes an unknown name without a word: these are checked against the source of 1.29.1.
 */
const dynamicConfig = {
  'history.transferProcessorMaxPollRPS': 2000,
  'system.enableActivityEagerExecution': true,
  'matching.enableFairness': true,
};

const READY_MS = 30_000;
/** It closes its database within about a second. */
const STOP_MS = 10_000;

/** Resolves when it answers and knows our search attributes. */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { ip: outer = '127.0.0.1', port = 7233, uiPort = 8233, dataDir } = options;
  const { server: ip, forwarded } = listenAddress(outer);
  mkdirSync(dataDir, { recursive: true });
  // A foreign server on our port would answer us: look first.
  await assertPortFree(ip, port, '--port');
  await assertPortFree(ip, uiPort, '--ui-port');
  options.signal?.throwIfAborted();
  const logFile = join(dataDir, 'temporal.log');
  const { id, exited } = startChild(
    { command: options.binary, args: serverArguments(ip, port, uiPort, dataDir), env: withoutTemporal() },
    { logFile, detached: options.detached ?? false },
  );
  options.onStart?.(id);
  const host = clientHost(ip);
  const address = `${host}:${port}`;
  const forwards: Forward[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(forwards.map((one) => one.close()));
    await endProcess(id, { graceMs: STOP_MS });
  };
  try {
    await untilReady(address, exited, options);
    if (forwarded) forwards.push(await forward(outer, port), await forward(outer, uiPort));
    // A server that was killed is started again: its forwards must not be in the way of the next one's.
    void exited.then(() => Promise.all(forwards.map((one) => one.close())));
  } catch (error) {
    await stop();
    throw startFailed(error, logFile);
  }
  return { id, address, uiUrl: `http://${host}:${uiPort}`, namespace: 'default', logFile, exited, stop };
}

function serverArguments(ip: string, port: number, uiPort: number, dataDir: string): string[] {
  const listen = ['--ip', ip, '--port', String(port), '--ui-port', String(uiPort)];
  // With the default journal each commit waits for the disk twice: 200 workflows take 42 s so, and 12 s this way.
  const pragmas = ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'];
  const data = ['--db-filename', join(dataDir, 'temporal.db'), ...pragmas];
  const settings = Object.entries(dynamicConfig).flatMap(([key, value]) => [
    '--dynamic-config-value',
    `${key}=${value}`,
  ]);
  const attributes = Object.entries(searchAttributes).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  const log = ['--log-level', 'warn', '--color', 'never'];
  return ['server', 'start-dev', ...listen, ...data, ...settings, ...attributes, ...log];
}

async function untilReady(
  address: string,
  exited: Promise<string>,
  { timeoutMs = READY_MS, signal }: DevServerOptions,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const ended = exited.then((how) => {
    throw new Error(`it ended at once (${how})`);
  });
  // Still pending after a good start; its rejection then is the end of the server, told by `exited`.
  ended.catch(() => undefined);
  for (;;) {
    signal?.throwIfAborted();
    const answered = await Promise.race([answers(address), ended]);
    if (answered) return;
    if (Date.now() > deadline)
      throw new Error(`it did not answer at ${address} within ${timeoutMs / 1000} s`);
    await Promise.race([delay(50), ended]);
  }
}

async function answers(address: string): Promise<boolean> {
  // Not Connection.connect: when it fails, its channel goes on trying, and keeps this process alive.
  const connection = Connection.lazy({ address, connectTimeout: 1000 });
  try {
    await connection.ensureConnected();
    // The flags count only for a new database; one of an older drover gets the new attributes here.
    const { missing } = await ensureSearchAttributes(connection, 'default');
    return missing.length === 0;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

function startFailed(error: unknown, logFile: string): unknown {
  if (error instanceof DroverError || (error instanceof Error && error.name === 'AbortError')) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const log = logTail(logFile, 3).join(' | ');
  const said = log === '' ? '' : `; its log ends with: ${log}`;
  return new DroverError('TemporalUnreachable', `the Temporal server did not start: ${reason}${said}`, {
    hint: `see ${logFile}`,
    cause: error,
  });
}

/** 0.0.0.0 and :: are addresses to listen at, not to call. */
function clientHost(ip: string): string {
  if (ip === '0.0.0.0' || ip === 'localhost') return '127.0.0.1';
  if (ip === '::') return '[::1]';
  return ip.includes(':') ? `[${ip}]` : ip;
}
