/** The command against a real Temporal server on which no worker runs: what it says while nothing goes on. */
import { execa } from 'execa';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectClient } from '../../temporal/connect.js';
import { startDevServer, type DevServer } from '../../temporal/dev-server.js';
import { makePlace, putHost, putInstance, type Place } from '../unit/cli/drover.js';
import { freePort, temporalBinary, until } from './helpers.js';

let place: Place;
let server: DevServer;
let env: Record<string, string>;

beforeAll(async () => {
  place = makePlace();
  const dataDir = join(place.folder, 'temporal');
  server = await startDevServer({
    binary: await temporalBinary(),
    dataDir,
    port: await freePort(),
    uiPort: await freePort(),
  });
  env = { TEMPORAL_ADDRESS: server.address };
  await place.inventory(async (inventory) => {
    await putHost(inventory, 'alpha');
    await putInstance(inventory, 1, { name: 'web', host: 'alpha' });
    await putInstance(inventory, 2, { name: 'db', host: 'alpha' });
  });
});

afterAll(async () => {
  await server.stop();
  place.remove();
});

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const background = (args: readonly string[]) =>
  execa(process.execPath, [main, ...args], { cwd: place.folder, env, reject: false, stdin: 'ignore' });

async function spoken(stream: Readable, what: RegExp): Promise<void> {
  let said = '';
  stream.on('data', (text: Buffer) => (said += String(text)));
  await until(`it says ${String(what)}`, () => what.test(said), 60_000);
}

test('work that no worker takes is said so, goes on after --timeout, and refuses the next', async () => {
  const first = await place.drover(['instance', 'stop', 'web', '--timeout', '7s'], env);
  expect(first.exitCode).toBe(6);
  expect(first.stdout).toContain('no worker runs for the cloud test: start one with `drover worker`');
  expect(first.stderr).toBe(
    'drover: stop of web still runs and goes on\n' +
      '  -> follow it with `drover instance watch web`, cancel it with `drover instance cancel web`',
  );
  const second = await place.drover(['instance', 'pause', 'web', '-o', 'json'], env);
  expect(second.exitCode).toBe(3);
  expect(JSON.parse(second.stderr)).toMatchObject({
    code: 'InstanceBusy',
    message: expect.stringMatching(
      /^web is busy: stop runs on it since .*, by ann \(workflow test\/instance\/1{8}-/,
    ) as string,
    details: { operation: 'stop', by: 'ann' },
    hint: 'follow it with `drover instance watch web`, or cancel it with `drover instance cancel web`',
  });
  const dry = await place.drover(['instance', 'pause', 'web', '--dry-run'], env);
  expect(dry).toMatchObject({ exitCode: 3, stdout: 'pause of web: would be refused; nothing was done' });
});

test('cancelling tells a program how far it came', async () => {
  const cancel = ['instance', 'cancel', 'web', '-o', 'json'];
  const operation = { operation: 'stop', subject: 'web', result: null };
  const asked = await place.drover([...cancel, '--no-wait'], env);
  expect(asked.exitCode).toBe(0);
  expect(JSON.parse(asked.stdout)).toMatchObject({ ...operation, state: 'running' });
  const late = await place.drover([...cancel, '--timeout', '1s'], env);
  expect(late.exitCode).toBe(6);
  expect(JSON.parse(late.stderr.split('\n').find((line) => line.startsWith('{')) ?? '')).toMatchObject({
    code: 'StillRunning',
  });
  const waiting = background(cancel);
  await spoken(waiting.stderr, /asked stop of web/);
  // No worker takes anything back here, so it is ended from outside.
  const { connection, client } = await connectClient({ env });
  await client.workflow.getHandle('test/instance/11111111-0000-4000-8000-000000000000').terminate();
  await connection.close();
  const { stdout, exitCode } = await waiting;
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ...operation, state: 'cancelled' });
});

test('Ctrl-C ends the waiting and not the work', async () => {
  const command = background(['instance', 'stop', 'db']);
  const { connection, client } = await connectClient({ env });
  const started = client.workflow.getHandle('test/instance/22222222-0000-4000-8000-000000000000');
  await until('the stop is started', () => started.describe().catch(() => undefined), 60_000);
  await connection.close();
  // It has its answer, and begins to follow it.
  await delay(2000);
  command.kill('SIGINT');
  const { exitCode, stderr } = await command;
  expect(exitCode).toBe(6);
  expect(stderr).toContain('follow it with `drover instance watch db`');
  const cancelled = await place.drover(['instance', 'cancel', 'db', '--no-wait'], env);
  expect(cancelled).toMatchObject({
    exitCode: 0,
    stderr: 'asked stop of db to stop and to take back what it did',
  });
});

test('a run without a worker is started, listed, watched and cancelled', async () => {
  const started = await place.drover(['host', 'drain', 'alpha', '--no-wait', '-o', 'json'], env);
  const { id } = JSON.parse(started.stdout) as { id: string };
  const [listed] = JSON.parse((await place.drover(['run', 'list', '-o', 'json'], env)).stdout) as object[];
  expect(listed).toMatchObject({
    id,
    runbook: 'drain-host',
    state: 'running',
    phase: 'waiting for a worker',
  });
  const watched = await place.drover(['run', 'watch', id, '--timeout', '6s'], env);
  expect(watched.exitCode).toBe(6);
  expect(watched.stdout).toContain(
    `run ${id}: drain-host host=alpha parallel=2 max_failures=0 wait=10m timeout=30m, started by ann`,
  );
  expect(watched.stdout).toContain('note: no worker runs: start one with `drover worker`');
  expect(await place.drover(['run', 'cancel', id, '--no-wait'], env)).toMatchObject({ exitCode: 0 });
  const nothing = await place.drover(['run', 'show', '00000000-0000-4000-8000-000000000000'], env);
  expect(nothing).toMatchObject({ exitCode: 2, stdout: '' });
});

test('doctor names what is missing and how to fix it', async () => {
  const { stdout, exitCode } = await place.drover(['doctor', '-o', 'json'], env);
  const checks = JSON.parse(stdout) as { name: string; state: string; fix: string | null }[];
  const state = (name: string) => checks.find((check) => check.name === name)?.state;
  expect(state('temporal')).toBe('ok');
  expect(state('search attributes')).toBe('ok');
  expect(state('worker')).toBe('failed');
  expect(state('worker of alpha')).toBe('failed');
  expect(checks.find((check) => check.name === 'worker of alpha')?.fix).toBe(
    'on alpha: drover worker --host alpha',
  );
  expect(exitCode).toBe(4);
});
