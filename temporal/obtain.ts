/** The two ways to a new `temporal` binary: the official archive, or a build from the Go module. */
import { execa } from 'execa';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  archiveName,
  archiveSha256,
  GO_LDFLAGS,
  GO_PACKAGE,
  isAtLeast,
  MIN_GO_VERSION,
  RELEASE_BASE,
  releasePlatform,
  TEMPORAL_CLI_VERSION,
} from './release.js';

export interface ObtainOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Where release assets are; another only for tests. */
  readonly releaseBase?: string;
  readonly sha256?: string;
}

const ANSWER_TIMEOUT_MS = 8000;
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;
const BUILD_TIMEOUT_MS = 30 * 60_000;
const PROGRESS_EVERY_MS = 10_000;

/** Downloads, checks and unpacks the official archive into `directory`; throws an Error that says why not. */
export async function downloadTemporal(directory: string, options: ObtainOptions): Promise<string> {
  const expected = options.sha256 ?? archiveSha256[releasePlatform()];
  if (expected === undefined) throw new Error(`no checksum is known for ${releasePlatform()}`);
  const url = `${options.releaseBase ?? RELEASE_BASE}/${archiveName()}`;
  const archive = join(directory, 'temporal.tar.gz');
  const actual = await fetchTo(url, archive, options);
  if (actual !== expected) throw new Error(`${url} has sha256 ${actual}, expected ${expected}`);
  await execa('tar', ['-xzf', archive, '-C', directory, 'temporal'], { timeout: 60_000 });
  return join(directory, 'temporal');
}

async function fetchTo(url: string, file: string, { say, signal }: ObtainOptions): Promise<string> {
  const stop = new AbortController();
  const giveUp = (why: string): void => stop.abort(new Error(why));
  // A network that drops packets never refuses: the first answer has a short limit of its own.
  let timer = setTimeout(() => giveUp(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`), ANSWER_TIMEOUT_MS);
  try {
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const response = await fetch(url, { signal: either });
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    clearTimeout(timer);
    timer = setTimeout(
      () => giveUp(`not complete within ${DOWNLOAD_TIMEOUT_MS / 60_000} min`),
      DOWNLOAD_TIMEOUT_MS,
    );
    say(`downloading the Temporal server: ${url}`);
    const hash = createHash('sha256');
    const tap = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body), tap, createWriteStream(file));
    return hash.digest('hex');
  } catch (error) {
    // fetch says only "fetch failed"; the reason is the cause.
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(reason instanceof Error ? reason.message : String(reason), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Builds it with the Go toolchain on PATH into `directory`; throws an Error that says why not. */
export async function buildTemporal(directory: string, { env, say, signal }: ObtainOptions): Promise<string> {
  const version = await goVersion(env);
  if (!isAtLeast(version, MIN_GO_VERSION))
    throw new Error(`Go ${version} is too old, ${MIN_GO_VERSION} is needed`);
  say(`building the Temporal server ${TEMPORAL_CLI_VERSION} with Go ${version}: some minutes, once`);
  const started = Date.now();
  let modules = 0;
  const progress = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000);
    say(`building the Temporal server: ${seconds} s, ${modules} modules downloaded`);
  }, PROGRESS_EVERY_MS);
  try {
    const build = execa('go', ['install', '-trimpath', '-ldflags', GO_LDFLAGS, GO_PACKAGE], {
      // CGO is off in the official build too: the binary then needs no C library of this very machine.
      env: { ...env, GOBIN: directory, CGO_ENABLED: '0' },
      extendEnv: false,
      cwd: directory,
      timeout: BUILD_TIMEOUT_MS,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    build.stderr.on('data', (chunk: Buffer) => {
      modules += chunk.toString().split('go: downloading').length - 1;
    });
    const result = await build.catch((error: unknown) => {
      throw new Error(`go install failed: ${lastLine(error)}`, { cause: error });
    });
    say(`built the Temporal server in ${Math.round(result.durationMs / 1000)} s`);
    return join(directory, 'temporal');
  } finally {
    clearInterval(progress);
  }
}

async function goVersion(env: NodeJS.ProcessEnv): Promise<string> {
  const result = await execa('go', ['env', 'GOVERSION'], {
    env,
    extendEnv: false,
    reject: false,
    timeout: 20_000,
  });
  const version = /go(\d+(?:\.\d+)*)/.exec(result.stdout)?.[1];
  if (version === undefined) throw new Error('there is no `go` on PATH');
  return version;
}

function lastLine(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return text.trim().split('\n').at(-1) ?? '';
}
