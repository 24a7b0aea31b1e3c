/** One run of `drover dev`: the Temporal server, the processes beside it, and what dev.json tells about them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild, withoutTemporal, type Child, type Command } from './child.js';
import { removeDevFile, writeDevFile, type DevFile } from './dev-file.js';
import { startDevServer, type DevServer, type DevServerOptions } from './dev-server.js';
import { keepRunning } from './keep-running.js';
import { LogFollower } from './logs.js';
import { endProcess, thisProcess, type ProcessId } from './processes.js';

/** A process that `drover dev` runs beside the Temporal server. */
export interface ChildSpec extends Command {
  /** Unique, and the name of its log file, for example `worker`. */
  readonly name: string;
  /** It is ready once a line of its output holds this; without it, once it has run for a moment. */
  readonly readyWhen?: string;
}

export interface SessionOptions extends Pick<
  DevServerOptions,
  'binary' | 'dataDir' | 'ip' | 'port' | 'uiPort'
> {
  readonly children: readonly ChildSpec[];
  readonly say: (line: string) => void;
  /** Show what the children write, each line after their name. */
  readonly follow: boolean;
}

/** A worker may finish or hand back what it does; Temporal gives the rest to the next worker. */
export const DRAIN_MS = 15_000;
const SERVER_STOP_MS = 10_000;
const READY_MS = 60_000;
const MOMENT_MS = 500;
const LOOK_EVERY_MS = 100;

export class DevSession {
  private readonly ending = new AbortController();
  private readonly keepers: Promise<void>[] = [];
  private readonly ready = new Set<string>();
  private followers: { spec: ChildSpec; log: LogFollower }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private file: DevFile;

  private constructor(
    private readonly options: SessionOptions,
    private readonly serverOptions: DevServerOptions,
  ) {
    this.file = { ...thisProcess(), address: '', uiUrl: '', namespace: '', ready: false, children: [] };
  }

  /** Starts the server; it must come up at the first try (a port in use doesn't become free by waiting). */
  static async start(options: SessionOptions, signal: AbortSignal): Promise<DevSession> {
    const { binary, dataDir, ip, port, uiPort } = options;
    const session: DevSession = new DevSession(options, {
      binary,
      dataDir,
      ...(ip === undefined ? {} : { ip }),
      ...(port === undefined ? {} : { port }),
      ...(uiPort === undefined ? {} : { uiPort }),
      detached: true,
      signal,
      onStart: (server) => session.record({ server }),
    });
    try {
      const server = await startDevServer(session.serverOptions);
      session.serverIsUp(server);
      session.startChildren();
    } catch (error) {
      await session.end(AbortSignal.abort());
      throw error;
    }
    return session;
  }

  get address(): string {
    return this.file.address;
  }

  get uiUrl(): string {
    return this.file.uiUrl;
  }

  /** Waits until all is up; names what isn't after a minute. */
  async untilReady(signal: AbortSignal): Promise<string[]> {
    const deadline = Date.now() + READY_MS;
    const waiting = (): string[] =>
      this.options.children.map(({ name }) => name).filter((name) => !this.ready.has(name));
    while (waiting().length > 0 && Date.now() < deadline && !signal.aborted) await delay(LOOK_EVERY_MS);
    if (!signal.aborted) this.record({ ready: true });
    return waiting();
  }

  /** Children first, so that a worker can report to the server what it finished; at once when `hurry` aborts. */
  async end(hurry: AbortSignal): Promise<void> {
    this.ending.abort();
    const children = this.file.children.map((child) => endProcess(child, { graceMs: DRAIN_MS, hurry }));
    await Promise.all(children);
    if (this.file.server !== undefined) await endProcess(this.file.server, { graceMs: SERVER_STOP_MS });
    await Promise.all(this.keepers);
    clearInterval(this.timer);
    this.readLogs();
    removeDevFile(this.options.dataDir);
  }

  private serverIsUp(first: DevServer): void {
    const { address, uiUrl, namespace } = first;
    this.record({ address, uiUrl, namespace });
    let next: DevServer | undefined = first;
    const start = async (): Promise<DevServer> => {
      const server = next ?? (await startDevServer({ ...this.serverOptions, signal: this.ending.signal }));
      if (next === undefined) this.options.say('the Temporal server is up again');
      next = undefined;
      return server;
    };
    const { say } = this.options;
    this.keep({ name: 'the Temporal server', start, logFile: first.logFile, say });
  }

  private startChildren(): void {
    const { children, dataDir, say } = this.options;
    const env = this.childEnvironment();
    for (const spec of children) {
      const logFile = join(dataDir, `${spec.name}.log`);
      this.followers.push({ spec, log: new LogFollower(logFile) });
      this.keep({ name: spec.name, start: async () => this.startOne(spec, logFile, env), logFile, say });
    }
    this.timer = setInterval(() => this.readLogs(), LOOK_EVERY_MS);
  }

  private startOne(spec: ChildSpec, logFile: string, env: NodeJS.ProcessEnv): Child {
    const child = startChild({ ...spec, env: { ...env, ...spec.env } }, { logFile, detached: true });
    this.recordChild(spec.name, child.id);
    if (spec.readyWhen === undefined) {
      const timer = setTimeout(() => this.ready.add(spec.name), MOMENT_MS);
      void child.exited.then(() => clearTimeout(timer));
    }
    return child;
  }

  /** Nothing of the shell's own Temporal settings, TLS or keys of a production profile above all, may reach them. */
  private childEnvironment(): NodeJS.ProcessEnv {
    const profile = join(this.options.dataDir, 'temporal.toml');
    const { address, namespace } = this.file;
    writeFileSync(profile, `[profile.default]\naddress = "${address}"\nnamespace = "${namespace}"\n`);
    return {
      ...withoutTemporal(),
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      TEMPORAL_CONFIG_FILE: profile,
    };
  }

  private keep(kept: Parameters<typeof keepRunning>[0]): void {
    this.keepers.push(keepRunning(kept, this.ending.signal));
  }

  private readLogs(): void {
    for (const { spec, log } of this.followers) {
      for (const line of log.read()) {
        if (spec.readyWhen !== undefined && line.includes(spec.readyWhen)) this.ready.add(spec.name);
        if (this.options.follow) this.options.say(`${spec.name}: ${line}`);
      }
    }
  }

  private recordChild(name: string, id: ProcessId): void {
    if (id.startTime === '') return;
    const others = this.file.children.filter((child) => child.name !== name);
    this.record({ children: [...others, { name, ...id }] });
  }

  /** At once after each start: after a kill -9 of this process, only dev.json knows whom to end. */
  private record(change: Partial<DevFile>): void {
    this.file = { ...this.file, ...change };
    writeDevFile(this.options.dataDir, this.file);
  }
}
