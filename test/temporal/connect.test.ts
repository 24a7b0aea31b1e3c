import { execa } from 'execa';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { connectClient, resolveTarget, splitAddress, workflowUrl } from '../../temporal/connect.js';
import { writeDevFile } from '../../temporal/dev-file.js';
import { thisProcess } from '../../temporal/processes.js';
import { freePort, temporaryFolder } from './helpers.js';
import { imported, transpiled } from '../transpile.js';

const at = (address: string): NodeJS.ProcessEnv => ({ HOME: temporaryFolder(), TEMPORAL_ADDRESS: address });

test('no server: an error with address, reason and what to do, at once', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const started = Date.now();
  await expect(connectClient({ env: at(address) })).rejects.toMatchObject({
    code: 'TemporalUnreachable',
    message: `no Temporal server answers at ${address}: connection refused`,
    hint: expect.stringContaining('drover dev'),
  });
  // Refused is not asked again until the limit of 5 s.
  expect(Date.now() - started).toBeLessThan(4500);
});

test('a server that accepts and says nothing: an error within 5 s', async () => {
  const port = await freePort();
  const silent = createTcpServer().listen(port, '127.0.0.1');
  const started = Date.now();
  await expect(connectClient({ env: at(`127.0.0.1:${port}`) })).rejects.toMatchObject({
    code: 'TemporalUnreachable',
  });
  // The limit, and what a busy machine takes.
  expect(Date.now() - started).toBeLessThan(20_000);
  silent.close();
});

test('a command that failed to connect ends by itself', { timeout: 90_000 }, async () => {
  const port = await freePort();
  const silent = createTcpServer().listen(port, '127.0.0.1');
  const script =
    "import { connectClient } from './temporal/connect.js';\nawait connectClient({ timeoutMs: 500 });";
  const program = transpiled(imported(script));
  const main = join(program.directory, 'main.js');
  writeFileSync(main, script);
  const result = await execa(process.execPath, [main], {
    env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` },
    reject: false,
    timeout: 60_000,
  });
  expect(result).toMatchObject({
    exitCode: 1,
    timedOut: false,
    stderr: expect.stringContaining('TemporalUnreachable'),
  });
  program.remove();
  silent.close();
});

test('a web server is not taken for Temporal', async () => {
  const port = await freePort();
  const web = createServer((_request, response) => response.end('hello')).listen(port, '127.0.0.1');
  await expect(connectClient({ env: at(`127.0.0.1:${port}`), timeoutMs: 1000 })).rejects.toMatchObject({
    code: 'TemporalUnreachable',
  });
  web.closeAllConnections();
  web.close();
});

test("Temporal's profile file and variables are followed", () => {
  const file = join(temporaryFolder(), 'temporal.toml');
  writeFileSync(
    file,
    '[profile.prod]\naddress = "temporal.example:7233"\nnamespace = "drover"\napi_key = "k"\n',
  );
  const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' };
  expect(resolveTarget({ env })).toMatchObject({
    address: 'temporal.example:7233',
    namespace: 'drover',
    connectionOptions: { apiKey: 'k', tls: true },
  });
  expect(resolveTarget({ env: { ...env, TEMPORAL_NAMESPACE: 'other' } }).namespace).toBe('other');
  expect(() => resolveTarget({ env: { ...env, TEMPORAL_PROFILE: 'none' } })).toThrow(
    /profile cannot be read/,
  );
});

test('the drover dev of the data folder is used while it runs, unless the environment names a server', () => {
  const dataDir = temporaryFolder();
  const env = { HOME: dataDir };
  const file = {
    ...thisProcess(),
    address: '127.0.0.1:7777',
    uiUrl: 'http://127.0.0.1:8888',
    namespace: 'default',
  };
  writeDevFile(dataDir, { ...file, ready: true, server: thisProcess(), children: [] });
  expect(resolveTarget({ env, dataDir })).toMatchObject({ address: '127.0.0.1:7777', source: 'drover dev' });
  expect(resolveTarget({ env: { ...env, TEMPORAL_ADDRESS: 'h:1' }, dataDir }).address).toBe('h:1');
  writeDevFile(dataDir, {
    ...file,
    ready: true,
    server: { pid: process.pid, startTime: 'before' },
    children: [],
  });
  expect(resolveTarget({ env, dataDir })).toMatchObject({ address: '127.0.0.1:7233', source: 'environment' });
});

test('addresses and links', () => {
  expect(splitAddress('[::1]:7')).toEqual({ host: '::1', port: 7 });
  expect(splitAddress('temporal')).toEqual({ host: 'temporal', port: 7233 });
  expect(() => splitAddress('a:b:c')).toThrow(/not HOST:PORT/);
  expect(workflowUrl('http://ui/', 'default', 'run/1')).toBe(
    'http://ui/namespaces/default/workflows/run%2F1',
  );
  expect(workflowUrl('http://ui', 'ns', 'w', 'r')).toBe('http://ui/namespaces/ns/workflows/w/r/history');
});
