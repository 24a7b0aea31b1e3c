/** Finds the `temporal` CLI, which holds the development server, or makes one. */
import { execa } from 'execa';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DroverError } from '../model/errors.js';
import { tryLock } from './lock.js';
import { buildTemporal, downloadTemporal, type ObtainOptions } from './obtain.js';
import {
  archiveName,
  GO_LDFLAGS,
  GO_PACKAGE,
  isAtLeast,
  MIN_GO_VERSION,
  MIN_SERVER_VERSION,
  RELEASE_BASE,
  TEMPORAL_CLI_VERSION,
} from './release.js';

export type BinarySource = 'DROVER_TEMPORAL_BIN' | 'PATH' | 'cache' | 'download' | 'go install';

export interface TemporalBinary {
  readonly path: string;
  readonly serverVersion: string;
  readonly source: BinarySource;
}

export interface FindOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Gets progress lines while one is made, which can take minutes. */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** False: only look, for example for `drover doctor`. */
  readonly make?: boolean;
  readonly releaseBase?: string;
  readonly sha256?: string;
}

/** The first that works: DROVER_TEMPORAL_BIN, PATH, our cache, the official download, a build with Go. */
export async function findTemporal(options: FindOptions = {}): Promise<TemporalBinary> {
  const env = options.env ?? process.env;
  const tried: string[] = [];

  const explicit = env['DROVER_TEMPORAL_BIN'];
  // Who names one wants that one: falling back to another would hide the mistake.
  if (explicit !== undefined && explicit !== '') return useExplicit(explicit);

  const onPath = findOnPath('temporal', env);
  if (onPath === undefined) tried.push('there is no `temporal` on PATH');
  else {
    const version = await serverVersionOf(onPath).catch((error: unknown) => void tried.push(reasonOf(error)));
    if (version !== undefined && isAtLeast(version, MIN_SERVER_VERSION)) {
      return { path: onPath, serverVersion: version, source: 'PATH' };
    }
    if (version !== undefined)
      tried.push(`${onPath} holds server ${version}, ${MIN_SERVER_VERSION} is needed`);
  }

  const cached = await fromCache(env);
  if (cached !== undefined) return cached;
  if (options.make !== false) return make({ ...options, env, say: options.say ?? (() => undefined) }, tried);
  throw notFound(tried);
}

/** ${XDG_CACHE_HOME:-~/.cache}/drover/temporal/VERSION */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  const cache = base === undefined || base === '' ? join(env['HOME'] ?? homedir(), '.cache') : base;
  return join(cache, 'drover', 'temporal', TEMPORAL_CLI_VERSION);
}

async function useExplicit(path: string): Promise<TemporalBinary> {
  try {
    return { path, serverVersion: await serverVersionOf(path), source: 'DROVER_TEMPORAL_BIN' };
  } catch (error) {
    throw new DroverError('InvalidConfig', `DROVER_TEMPORAL_BIN is not usable: ${reasonOf(error)}`, {
      hint: 'set it to a `temporal` CLI binary, or unset it and let drover find or build one',
      cause: error,
    });
  }
}

/** A file is there only when it was complete: it comes by a rename. */
async function fromCache(env: NodeJS.ProcessEnv): Promise<TemporalBinary | undefined> {
  const path = join(cacheDirectory(env), 'temporal');
  const version = isExecutable(path) ? await serverVersionOf(path).catch(() => undefined) : undefined;
  return version === undefined ? undefined : { path, serverVersion: version, source: 'cache' };
}

async function make(options: FindOptions & ObtainOptions, tried: string[]): Promise<TemporalBinary> {
  const directory = cacheDirectory(options.env);
  const lock = await waitForLock(join(directory, 'lock'), options);
  try {
    // The one we waited for may have made it.
    const cached = await fromCache(options.env);
    if (cached !== undefined) return cached;
    const ways = [
      { source: 'download', obtain: downloadTemporal },
      { source: 'go install', obtain: buildTemporal },
    ] as const;
    removeUnfinished(directory);
    for (const { source, obtain } of ways) {
      const work = mkdtempSync(join(directory, 'new-'));
      try {
        const fresh = await obtain(work, options);
        const serverVersion = await serverVersionOf(fresh);
        const path = join(directory, 'temporal');
        renameSync(fresh, path);
        return { path, serverVersion, source };
      } catch (error) {
        options.signal?.throwIfAborted();
        tried.push(`${source}: ${reasonOf(error)}`);
        options.say(`the Temporal server is not to be had by ${source}: ${reasonOf(error)}`);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    }
  } finally {
    lock.release();
  }
  throw notFound(tried);
}

/** What a killed process left: we hold the lock, so nobody works there. */
function removeUnfinished(directory: string): void {
  for (const name of readdirSync(directory).filter((entry) => entry.startsWith('new-'))) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}

async function waitForLock(path: string, { say, signal }: ObtainOptions): Promise<{ release(): void }> {
  mkdirSync(join(path, '..'), { recursive: true });
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    const lock = tryLock(path);
    if (lock.held) return lock;
    if (!told) say(`another process (pid ${lock.holder}) gets the Temporal server: waiting for it`);
    told = true;
    await delay(500);
  }
}

/** Reads `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`. */
async function serverVersionOf(path: string): Promise<string> {
  const result = await execa(path, ['--version'], { reject: false, timeout: 20_000, stdin: 'ignore' });
  const version = /Server (\d+\.\d+\.\d+)/.exec(result.stdout)?.[1];
  if (version !== undefined) return version;
  throw new Error(
    `${path} --version ${result.failed ? `failed: ${result.originalMessage ?? result.stderr}` : 'names no server'}`,
  );
}

function findOnPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const directories = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Every way, with what to type, because which one is open depends on the machine. */
function notFound(tried: readonly string[]): DroverError {
  return new DroverError('TemporalUnreachable', `no usable \`temporal\` CLI: ${tried.join('; ')}`, {
    details: { tried: [...tried] },
    hint: [
      'do one of these and try again:',
      '  use a Temporal server that runs:  export TEMPORAL_ADDRESS=HOST:7233',
      '  Homebrew (macOS, Linux):          brew install temporal',
      `  official download:                curl -fL ${RELEASE_BASE}/${archiveName()} | sudo tar -xz -C /usr/local/bin temporal`,
      `  Go ${MIN_GO_VERSION} or newer on PATH:         GOBIN=/usr/local/bin go install -trimpath -ldflags "${GO_LDFLAGS}" ${GO_PACKAGE}`,
      '  a binary somewhere else:          export DROVER_TEMPORAL_BIN=/path/to/temporal',
    ].join('\n'),
  });
}
