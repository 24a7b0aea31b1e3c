import { execa } from 'execa';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connectClient } from '../../temporal/connect.js';
import { readDevFile, type DevFile } from '../../temporal/dev-file.js';
import { logTail } from '../../temporal/logs.js';
import { endProcess, isAlive } from '../../temporal/processes.js';
import { freePort, temporalBinary, temporaryFolder, until } from './helpers.js';
import { imported, transpiled } from '../transpile.js';

const LIMIT = { timeout: 90_000 };

/** Says that it is ready and which server it got; takes a moment to end. */
const workerScript = `
console.log('worker ready', process.pid, process.env.TEMPORAL_ADDRESS, process.env.TEMPORAL_API_KEY ?? 'no key');
process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(0); }, 300));
setInterval(() => undefined, 1000);
`;
const mainScript = `
import { runDev, detachDev, stopDev } from './cli/dev.js';
const [action, dataDir, port, uiPort, worker] = process.argv.slice(2);
const options = { dataDir, port: Number(port), uiPort: Number(uiPort), prepare: async () => ['next: look around'],
  children: [{ name: 'worker', command: process.execPath, args: [worker], readyWhen: 'worker ready' }] };
try {
  if (action === 'run') process.exitCode = await runDev(options);
  if (action === 'stop') await stopDev(options);
  const self = { command: process.execPath, args: [process.argv[1], 'run', ...process.argv.slice(3)] };
  if (action === 'detach') await detachDev(options, self);
} catch (error) {
  console.error(error.code, error.message, error.hint);
  process.exitCode = 3;
}
`;

let program: ReturnType<typeof transpiled>;
let binary: string;
let settings: string[];
let dataDir: string;

beforeAll(async () => {
  binary = await temporalBinary();
  program = transpiled(imported(mainScript));
  writeFileSync(join(program.directory, 'main.js'), mainScript);
  writeFileSync(join(program.directory, 'worker.js'), workerScript);
});
afterAll(() => program.remove());

afterEach(async () => {
  const file = readDevFile(dataDir);
  if (file !== undefined) for (const one of everybody(file)) await endProcess(one, { graceMs: 5000 });
});

async function folder(): Promise<void> {
  dataDir = temporaryFolder();
  const worker = join(program.directory, 'worker.js');
  settings = [dataDir, String(await freePort()), String(await freePort()), worker];
}

function drover(action: 'run' | 'detach' | 'stop') {
  return execa(process.execPath, [join(program.directory, 'main.js'), action, ...settings], {
    env: { DROVER_TEMPORAL_BIN: binary, TEMPORAL_API_KEY: 'of the shell' },
    reject: false,
    all: true,
  });
}

function everybody({ pid, startTime, server, children }: DevFile): { pid: number; startTime: string }[] {
  return [{ pid, startTime }, ...children, ...(server === undefined ? [] : [server])];
}

async function ready(differentFrom?: DevFile): Promise<DevFile> {
  return until('drover dev is ready', () => {
    const file = readDevFile(dataDir);
    return file?.ready === true && file.pid !== differentFrom?.pid && file;
  });
}

test('Ctrl-C: the worker drains, then the server ends, exit code 0, nothing stays', LIMIT, async () => {
  await folder();
  const dev = drover('run');
  const file = await ready();
  expect(everybody(file).every(isAlive)).toBe(true);
  dev.kill('SIGINT');
  const result = await dev;
  expect(result.exitCode).toBe(0);
  expect(result.all).toContain(`Temporal UI  ${file.uiUrl}`);
  expect(result.all).toContain('next: look around');
  expect(result.all).toContain(`worker: worker ready ${file.children[0]?.pid} ${file.address} no key`);
  expect(result.all).toContain('worker: drained');
  expect(everybody(file).some(isAlive)).toBe(false);
  expect(existsSync(join(dataDir, 'dev.json'))).toBe(false);
  expect(existsSync(join(dataDir, 'dev.lock'))).toBe(false);
});

test('after kill -9 the next one ends what was left, and goes on with the same data', LIMIT, async () => {
  await folder();
  const first = drover('run');
  const before = await ready();
  const { client, connection } = await connectClient({ env: {}, dataDir });
  await client.workflow.start('nobodyRunsIt', { taskQueue: 'none', workflowId: 'kept' });
  await connection.close();
  first.kill('SIGKILL');
  await first;
  expect(before.children.every(isAlive)).toBe(true);

  const second = drover('run');
  const after = await ready(before);
  expect(everybody(before).some(isAlive)).toBe(false);
  const again = await connectClient({ env: {}, dataDir });
  expect((await again.client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
  await again.connection.close();
  second.kill('SIGTERM');
  const result = await second;
  expect(result.all).toContain('an earlier drover dev was killed');
  expect(result.exitCode).toBe(0);
  expect(everybody(after).some(isAlive)).toBe(false);
});

test('a second one on the folder is refused; a child that dies is started again', LIMIT, async () => {
  await folder();
  const dev = drover('run');
  const file = await ready();
  const refused = await drover('run');
  expect(refused.all).toContain(`WrongState a drover dev runs on ${dataDir} already (pid ${file.pid})`);

  const [worker] = file.children;
  if (worker === undefined || file.server === undefined) throw new Error('nothing to kill');
  process.kill(worker.pid, 'SIGKILL');
  process.kill(file.server.pid, 'SIGKILL');
  const fresh = await until('both run again', () => {
    const now = readDevFile(dataDir);
    return now?.children[0]?.pid !== worker.pid && now?.server?.pid !== file.server?.pid && now;
  });
  expect(fresh.pid).toBe(file.pid);
  await until('the server is told to be up', () => logTail(join(dataDir, 'worker.log'), 9).length >= 2);
  const { connection } = await until('it answers', () =>
    connectClient({ env: {}, dataDir }).catch(() => undefined),
  );
  await connection.close();
  dev.kill('SIGINT');
  const result = await dev;
  expect(result.all).toContain('worker ended unexpectedly (signal SIGKILL): starting it again in 0.5 s');
  expect(result.all).toContain('the Temporal server ended unexpectedly (signal SIGKILL)');
  expect(result.exitCode).toBe(0);
  expect(everybody(fresh).some(isAlive)).toBe(false);
});

test('--detach returns once all is up, --stop ends it', LIMIT, async () => {
  await folder();
  const detached = await drover('detach');
  expect(detached.all).toContain('Temporal UI  http://');
  expect(detached.all).toContain('runs in the background');
  expect(detached.exitCode).toBe(0);
  const file = await ready();
  expect(everybody(file).every(isAlive)).toBe(true);
  expect((await drover('detach')).all).toContain('already');
  const stopped = await drover('stop');
  expect(stopped.all).toContain('ended the drover dev');
  expect(everybody(file).some(isAlive)).toBe(false);
  expect((await drover('stop')).all).toContain('no drover dev runs');
});

test('--detach tells why it did not start', LIMIT, async () => {
  await folder();
  const [dir = '', port = '', , worker = ''] = settings;
  settings = [dir, port, port, worker];
  const detached = await drover('detach');
  expect(detached.all).toMatch(/drover dev did not start \(exit code 3\): .*ended at once/);
  expect(detached.exitCode).toBe(3);
});
