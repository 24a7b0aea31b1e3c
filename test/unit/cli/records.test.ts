/** Commands that need neither Temporal nor a host: what is recorded and what is shipped, for people and for programs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { shippedFolder } from '../../../runbooks/language/load.js';
import { makePlace, putHost, putInstance, type Place } from './drover.js';

let place: Place;

beforeAll(async () => {
  place = makePlace();
  await place.inventory(async (inventory) => {
    for (const name of ['alpha', 'beta', 'gamma', 'delta']) await putHost(inventory, name);
    await putInstance(inventory, 1, { name: 'web', host: 'alpha' });
  });
});

afterAll(() => place.remove());

const hosts = async (): Promise<unknown> =>
  JSON.parse((await place.drover(['host', 'list', '--json', 'name'])).stdout);

test('host remove forgets a host, and shows what it was to a program', async () => {
  expect(await place.drover(['host', 'remove', 'beta'])).toMatchObject({
    exitCode: 0,
    stdout: 'host beta is removed from the inventory',
  });
  const json = await place.drover(['host', 'remove', 'gamma', '-o', 'json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ name: 'gamma', state: 'up', instances: 0 });
  const yaml = await place.drover(['host', 'remove', 'delta', '-o', 'yaml']);
  expect(parse(yaml.stdout)).toMatchObject({ name: 'delta', vcpus: 8 });
  expect(await hosts()).toEqual([{ name: 'alpha' }]);
});

test('host remove refuses a host that has instances, or that is not there', async () => {
  const busy = await place.drover(['host', 'remove', 'alpha']);
  expect(busy).toMatchObject({ exitCode: 3, stdout: '' });
  expect(busy.stderr).toBe(
    'drover: host alpha is not empty, it has or awaits web\n  -> move them away first: drover host drain alpha',
  );
  expect(await place.drover(['host', 'remove', 'alhpa'])).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await hosts()).toEqual([{ name: 'alpha' }]);
});

test('flavors: made, listed, refused twice, deleted', async () => {
  expect((await place.drover(['flavor', 'list'])).stdout).toContain('no flavors: make one with');
  const create = ['flavor', 'create', 'small', '--vcpus', '1', '--memory-mib', '512'];
  expect((await place.drover(create)).stdout).toBe('flavor small: 1 vCPUs, 512 MiB');
  expect(await place.drover(create)).toMatchObject({ exitCode: 2 });
  const { stdout } = await place.drover(['flavor', 'list', '--json', 'name,vcpus,memoryMiB,diskGiB']);
  expect(JSON.parse(stdout)).toEqual([{ name: 'small', vcpus: 1, memoryMiB: 512, diskGiB: 0 }]);
  expect((await place.drover(['flavor', 'list'])).stdout).toMatch(/^NAME .*\nsmall\s+1\s+512\s+as the image/);
  expect(await place.drover(['flavor', 'delete', 'small'])).toMatchObject({
    exitCode: 0,
    stdout: 'flavor small is deleted',
  });
  expect(await place.drover(['flavor', 'delete', 'small'])).toMatchObject({ exitCode: 2, stdout: '' });
});

test('a program reads the flavor that was made and the one that was deleted', async () => {
  const size = ['--vcpus', '2', '--memory-mib', '1024', '--disk-gib', '10'];
  const made: unknown = JSON.parse(
    (await place.drover(['flavor', 'create', 'big', ...size, '-o', 'json'])).stdout,
  );
  expect(made).toMatchObject({ name: 'big', vcpus: 2, memoryMiB: 1024, diskGiB: 10 });
  const deleted = await place.drover(['flavor', 'delete', 'big', '-o', 'yaml']);
  expect(parse(deleted.stdout)).toEqual(made);
  expect((await place.drover(['flavor', 'list', '-o', 'json'])).stdout).toBe('[]');
});

test('runbook list', async () => {
  const { stdout } = await place.drover(['runbook', 'list', '-o', 'json']);
  expect(JSON.parse(stdout)).toContainEqual({
    name: 'drain-host',
    description: expect.any(String) as string,
    inputs: ['host', 'parallel', 'max_failures', 'wait', 'timeout'],
    file: join(shippedFolder(), 'drain-host.yaml'),
    valid: true,
  });
  expect((await place.drover(['runbook', 'list'])).stdout).toMatch(/^NAME .*\ndrain-host\s+host, parallel,/);
});

test('runbook show: its inputs and steps, all of it for a program, the file as it is', async () => {
  const shown = await place.drover(['runbook', 'show', 'drain-host']);
  expect(shown.exitCode).toBe(0);
  expect(shown.stdout).toMatch(/^drain-host: /);
  expect(shown.stdout).toMatch(/\nhost\s+host\s+required\s/);
  expect(shown.stdout).toMatch(/\nmove\s+instance\.live-migrate/);
  const { stdout } = await place.drover(['runbook', 'show', 'drain-host', '-o', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'drain-host',
    digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    steps: expect.arrayContaining([expect.objectContaining({ id: 'move' })]) as unknown[],
  });
  const source = await place.drover(['runbook', 'show', 'drain-host', '--source']);
  expect(source.stdout.trim()).toBe(
    (await readFile(join(shippedFolder(), 'drain-host.yaml'), 'utf8')).trim(),
  );
});

test('runbook schema prints the one that is shipped, with the runbooks that can be used by name; help names it', async () => {
  const { stdout, exitCode } = await place.drover(['runbook', 'schema']);
  expect(exitCode).toBe(0);
  const shipped = await readFile(join(shippedFolder(), 'runbook.schema.json'), 'utf8');
  const keysOf = (text: string) => Object.keys((JSON.parse(text) as { properties: object }).properties);
  expect(keysOf(stdout)).toEqual(keysOf(shipped));
  expect(stdout).toContain('"runbook.drain-host"');
  expect(shipped).not.toContain('"runbook.drain-host"');
  expect((await place.drover(['runbook', '--help'])).stdout).toContain(
    'runbooks: check, list, show, run, schema',
  );
});
