import { execa } from 'execa';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DroverError } from '../../model/errors.js';
import { cacheDirectory, findTemporal, type FindOptions } from '../../temporal/binary.js';
import { archiveName, GO_PACKAGE, isAtLeast } from '../../temporal/release.js';
import { freePort, temporaryFolder } from './helpers.js';

let folder: string;
let requests: string[];
let server: Server;
let archive: Buffer;

const base = (): string => {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
};
const digest = (): string => createHash('sha256').update(archive).digest('hex');

function script(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A machine with a PATH of its own: tools for the archive, no `temporal`, no `go`. */
async function machine(): Promise<FindOptions> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const tool of ['tar', 'gzip']) {
    const { stdout } = await execa('sh', ['-c', `command -v ${tool}`]);
    script(join(bin, tool), `exec ${stdout} "$@"`);
  }
  const env = { PATH: bin, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') };
  return { env, releaseBase: base(), sha256: digest() };
}

beforeEach(async () => {
  folder = temporaryFolder();
  requests = [];
  script(join(folder, 'temporal'), 'echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"');
  await execa('tar', ['-czf', join(folder, 'archive'), '-C', folder, 'temporal']);
  archive = readFileSync(join(folder, 'archive'));
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
});

afterEach(() => server.close());

test('an explicit binary is taken, and a wrong one is an error even where another would be found', async () => {
  const env = { PATH: folder, DROVER_TEMPORAL_BIN: join(folder, 'temporal') };
  expect(await findTemporal({ env })).toMatchObject({
    source: 'DROVER_TEMPORAL_BIN',
    serverVersion: '1.29.1',
  });
  const wrong = findTemporal({ env: { ...env, DROVER_TEMPORAL_BIN: join(folder, 'nothing') } });
  await expect(wrong).rejects.toMatchObject({
    code: 'InvalidConfig',
    message: expect.stringContaining('nothing'),
  });
});

test('PATH is next, unless what is there is too old', async () => {
  const { env } = await machine();
  expect(await findTemporal({ env: { ...env, PATH: folder } })).toMatchObject({ source: 'PATH' });
  script(join(folder, 'temporal'), 'echo "temporal version 1.0.0 (Server 1.24.2, UI 2.30.0)"');
  await expect(findTemporal({ env: { ...env, PATH: folder }, make: false })).rejects.toMatchObject({
    message: expect.stringMatching(/holds server 1\.24\.2, 1\.29\.0 is needed/),
  });
});

test('the archive is downloaded once, checked and cached, by two processes that want it at once', async () => {
  const options = await machine();
  const both = await Promise.all([findTemporal(options), findTemporal(options)]);
  expect(both.map(({ source }) => source).toSorted()).toEqual(['cache', 'download']);
  expect(requests).toEqual([`/${archiveName()}`]);
  expect((await findTemporal(options)).source).toBe('cache');
  expect(readdirSync(cacheDirectory(options.env))).toEqual(['temporal']);
});

test('an archive with another checksum is refused and nothing of it stays', async () => {
  const options = await machine();
  const error = findTemporal({ ...options, sha256: 'f00' });
  await expect(error).rejects.toMatchObject({
    message: expect.stringContaining(`has sha256 ${digest()}, expected f00`),
  });
  expect(readdirSync(cacheDirectory(options.env))).toEqual([]);
});

test('what a killed process left, lock and half a build, is taken over', async () => {
  const options = await machine();
  const directory = cacheDirectory(options.env);
  mkdirSync(join(directory, 'new-abc'), { recursive: true });
  writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: process.pid, startTime: 'another life' }));
  expect((await findTemporal(options)).source).toBe('download');
  expect(existsSync(join(directory, 'new-abc'))).toBe(false);
});

test('Go builds it where the download is out of reach; progress is told', async () => {
  const { env } = await machine();
  script(
    join(folder, 'bin', 'go'),
    `if [ "$1" = env ]; then echo go1.26.8; else echo "$GOBIN $*" > ${folder}/asked; /bin/cp ${folder}/temporal "$GOBIN/"; fi`,
  );
  const said: string[] = [];
  const found = await findTemporal({
    env: env ?? {},
    releaseBase: 'http://127.0.0.1:1',
    say: (line) => said.push(line),
  });
  expect(found.source).toBe('go install');
  expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain(`install -trimpath -ldflags`);
  expect(said[0]).toMatch(/not to be had by download/);
  expect(said[1]).toMatch(/building the Temporal server .* with Go 1\.26\.8/);
});

test('with no way left the error says why each failed and how to have each', async () => {
  const { env } = await machine();
  script(join(folder, 'bin', 'go'), 'echo go1.24.4');
  const releaseBase = `http://127.0.0.1:${await freePort()}`;
  const { code, message, hint } = await failure(findTemporal({ env: env ?? {}, releaseBase }));
  expect(code).toBe('TemporalUnreachable');
  expect(message).toContain('no `temporal` on PATH');
  expect(message).toContain('download: connect ECONNREFUSED');
  expect(message).toContain('go install: Go 1.24.4 is too old, 1.25 is needed');
  for (const way of [
    'TEMPORAL_ADDRESS=',
    'brew install',
    archiveName(),
    GO_PACKAGE,
    'DROVER_TEMPORAL_BIN=',
  ]) {
    expect(hint).toContain(way);
  }
});

async function failure(promise: Promise<unknown>): Promise<DroverError> {
  const error = await promise.catch((reason: unknown) => reason);
  if (error instanceof DroverError) return error;
  throw new Error(`no DroverError: ${String(error)}`);
}

test('versions compare by their numbers', () => {
  expect(isAtLeast('1.29.10', '1.29.9')).toBe(true);
  expect(isAtLeast('1.26', '1.25')).toBe(true);
  expect(isAtLeast('1.9.0', '1.29.0')).toBe(false);
});
