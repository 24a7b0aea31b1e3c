/** A PostgreSQL server of one's own, in a folder that goes with it: for tests and benchmarks. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PostgresServer {
  /** For its superuser, by the loopback; nobody is asked for a password. */
  url(database: string): string;
  sql(database: string, text: string): string;
  /** Its own programs (`pg_dump`, `pg_restore`) with the address of the server; answers what it wrote. */
  run(program: string, args: readonly string[]): string;
  start(): Promise<void>;
  /** `immediate` is a crash: the next start recovers. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  remove(): Promise<void>;
}

/** Where Debian and others put what is not in the PATH; null without PostgreSQL. */
export function findPostgres(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const folders = versions
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(debian, version, 'bin'));
  const path = (process.env['PATH'] ?? '').split(':');
  return (
    [...folders, ...path].find(
      (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
    ) ?? null
  );
}

/** `durable`: with fsync, as in earnest. */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const bin = findPostgres();
  if (bin === null) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'drover-pg-'));
  const as = userOfServer();
  if ('uid' in as) chownSync(folder, as.uid, as.gid);
  const data = join(folder, 'data');
  const port = await freePort();
  const address = ['--host', '127.0.0.1', '--port', String(port), '--username', 'drover'];
  const own = {
    ...as,
    cwd: folder,
    encoding: 'utf8' as const,
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
  };
  execFileSync(
    join(bin, 'initdb'),
    ['--pgdata', data, '--username', 'drover', '--auth', 'trust', '--encoding', 'UTF8', '--no-sync'],
    own,
  );
  let server: ChildProcess | undefined;

  const url = (database: string) => `postgresql://drover@127.0.0.1:${port}/${database}`;
  const run = (program: string, args: readonly string[]) =>
    execFileSync(join(bin, program), [...address, ...args], {
      encoding: 'utf8',
      maxBuffer: 1e9,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const sql = (database: string, text: string) =>
    run('psql', [
      '--no-psqlrc',
      '--tuples-only',
      '--no-align',
      '--set=ON_ERROR_STOP=1',
      '--dbname',
      database,
      '--command',
      text,
    ]).trim();

  async function start(): Promise<void> {
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      `unix_socket_directories=${folder}`,
      'max_connections=200',
      ...(durable ? [] : ['fsync=off', 'full_page_writes=off']),
    ];
    server = spawn(join(bin ?? '', 'postgres'), ['-D', data, ...settings.flatMap((one) => ['-c', one])], {
      ...as,
      cwd: folder,
      stdio: 'ignore',
    });
    for (const begun = Date.now(); ; await sleep(50)) {
      try {
        sql('postgres', 'select 1');
        return;
      } catch (error) {
        if (server.exitCode !== null || Date.now() - begun > 60_000) throw error;
      }
    }
  }

  async function stop(mode: 'fast' | 'immediate'): Promise<void> {
    const running = server;
    server = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((done) => running.once('exit', done));
    running.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  async function remove(): Promise<void> {
    await stop('immediate');
    rmSync(folder, { recursive: true, force: true });
  }

  await start();
  return { url, sql, run, start, stop, remove };
}

/** It refuses to run as root, and its package brings a user for it. */
function userOfServer(): { uid: number; gid: number } | Record<string, never> {
  if (userInfo().uid !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
