/** `drover sim`, as built, each command in a process of its own on the same datacenter. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlace, type Place } from '../cli/drover.js';

let place: Place;
const sim = async (...args: string[]) => place.drover(['sim', ...args]);
const states = async () =>
  JSON.parse((await sim('status', '-o', 'json')).stdout) as {
    name: string;
    state: string;
    running: number;
  }[];

beforeAll(async () => {
  place = makePlace();
  const made = await sim('create', '--hosts', '3', '--instances', '6', '--racks', '2', '-o', 'json');
  expect(JSON.parse(made.stdout)).toMatchObject({ datacenter: 'sim', instances: 6 });
}, 30_000);
afterAll(() => place.remove());

test('create takes hosts with their labels and guests into the inventory', async () => {
  const [host] = JSON.parse((await place.drover(['host', 'list', '-o', 'json'])).stdout) as object[];
  expect(host).toMatchObject({ name: 'host-1', state: 'up', instances: 2 });
  const shown = JSON.parse((await place.drover(['host', 'show', 'host-2', '-o', 'json'])).stdout) as object;
  expect(shown).toMatchObject({ uri: 'sim://sim/host-2', labels: { rack: 'rack-2', zone: 'zone-1' } });
  const instances = JSON.parse((await place.drover(['instance', 'list', '-o', 'json'])).stdout) as object[];
  expect(instances.map((one) => (one as { name: string }).name)).toContain('web-1');
});

test('a fault that one process gives is seen by the others, until it is taken away', async () => {
  expect((await sim('crash', 'host-1')).stdout).toBe('host-1 is off');
  expect((await sim('hang', 'host-2')).stdout).toBe('host-2 hangs');
  expect(await states()).toMatchObject([
    { name: 'host-1', state: 'off', running: 0 },
    { name: 'host-2', state: 'hung', running: 2 },
    { name: 'host-3', state: 'up' },
  ]);
  await sim('restore', 'host-1', 'host-2');
  expect(await states()).toMatchObject([{ state: 'booting' }, { state: 'up' }, { state: 'up' }]);
});

test('what a guest does by itself, or somebody to it', async () => {
  const running = async () => (await states()).reduce((sum, host) => sum + host.running, 0);
  const before = await running();
  const [guest] = (
    JSON.parse((await place.drover(['instance', 'list', '--host', 'host-3', '-o', 'json'])).stdout) as {
      name: string;
    }[]
  ).map(({ name }) => name);
  expect((await sim('guest-crash', guest ?? '')).stdout).toBe(`${guest} has crashed`);
  expect(await running()).toBe(before - 1);
  expect((await sim('guest-boot', guest ?? '')).stdout).toBe(`${guest} was started by hand`);
  expect(await running()).toBe(before);
  expect((await sim('break-stream', 'host-3')).stdout).toContain('post-copy');
});

test('a BMC is what it is said to be, and what is armed is told; restore takes the first away', async () => {
  expect((await sim('bmc', 'swapped', 'host-3', '--with', 'host-2')).stdout).toBe(
    'the BMC of host-3 has the power of host-2',
  );
  expect((await sim('self-fence', 'watchdog', 'host-3', '--seconds', '30')).stdout).toBe(
    'host-3 has a watchdog of 30 s',
  );
  expect((await states())[2]).toMatchObject({ name: 'host-3', bmc: 'swapped' });
  await sim('restore', 'host-3');
  expect((await states())[2]).toMatchObject({ bmc: 'ok' });
});

test.each([
  [['bmc', 'swaped', 'host-1'], 'did you mean "swapped"?'],
  [['bmc', 'swapped', 'host-1'], '--with OTHER'],
  [['self-fence', 'dog', 'host-1'], 'there is no self-fence "dog"'],
  [['guest-crash', 'wbe-1'], 'no guest "wbe-1"'],
  [['crash', 'host-9'], 'no host "host-9"'],
  [['rack-loss', 'rack-7'], 'did you mean "rack-1"?'],
  [['fail', '--call', 'strat'], 'did you mean "start"?'],
  [['slow', 'host-1'], '--calls 2s'],
  [['libvirtd', 'stop', 'host-1'], 'kill, hang or start'],
  [['status', '--datacenter', 'dc2'], 'there is sim'],
  [['create', '--racks', '0'], 'from 1'],
])('%j is refused and teaches', async (args, says) => {
  const { exitCode, stderr } = await sim(...args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(says);
});

test('a scenario is checked with places, and comes by itself', async () => {
  const file = join(place.folder, 'storm.yaml');
  writeFileSync(file, '- at: 5s\n  do: crash\n  hosts: [host-4]\n- do: crsah\n  hosts: [host-1]\n');
  const wrong = await sim('apply', file);
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain('storm.yaml:4');
  writeFileSync(file, '- at: 5s\n  do: crash\n  hosts: [host-4]\n');
  expect((await sim('apply', file)).stderr).toMatch(/storm\.yaml:3:11.*no host "host-4"/);
  writeFileSync(
    file,
    '- at: 1s\n  do: crash\n  hosts: [host-3]\n- { at: 1h, do: rack-loss, rack: rack-1 }\n',
  );
  expect((await sim('apply', file)).stdout).toBe('2 faults are planned; they come by themselves');
  await expect
    .poll(async () => (await states()).find(({ name }) => name === 'host-3')?.state, { timeout: 10_000 })
    .toBe('off');
  await sim('blind', 'south');
  await sim('blind', 'north', 'host-2');
  const { stderr } = await sim('status');
  expect(stderr).toContain('rack-loss');
  expect(stderr).toContain(
    'the vantage point north does not see host-2\nthe vantage point south does not see any host',
  );
});

test('a host of a datacenter that is not there is not added', async () => {
  const { exitCode, stderr } = await place.drover(['host', 'add', 'sim9', '--uri', 'sim://other/host-1']);
  expect(exitCode).toBe(4);
  expect(stderr).toContain('no simulated datacenter "other"');
});
