/** Memory on disk, over a reboot of the host and never over a newer disk; and guests that go off by themselves. */
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, until, type World } from './world.js';

const name = 'sleeper';
let world: World;
let disk: string;

beforeAll(async () => {
  world = await openWorld(1);
  await world.guests({ name, host: 'host1', disk: 'shared' });
  disk = `${world.lab.sharedDir}/${name}.qcow2`;
});
afterAll(() => world?.close());

const lastTick = async () => (await world.judge.ticks(name)).at(-1);
const state = async () => (await world.instance(name)).state;
const virsh = async (...args: string[]) => execa('virsh', ['-c', await world.lab.uri('host1'), ...args]);
const inHost = (command: string) => world.lab.exec('host1', ['sh', '-c', command]);
const saveFile = `/var/lib/libvirt/qemu/save/${name}.save`;
const events = () =>
  world.json<{ event: string; detail: string; cause: string }[]>('instance', 'events', name);
const asked = () =>
  world.json<{ operation: string; by: string; state: string }[]>('instance', 'history', name);

test('a suspended guest survives the power loss of its host, and goes on where it was', async () => {
  await world.ok('instance', 'suspend', name);
  expect(await state()).toBe('suspended');
  expect(await world.judge.copies(name)).toEqual([]);
  const before = await lastTick();
  await world.lab.crash('host1');
  await world.lab.boot('host1');
  await until('the host answers and its worker is there', 120_000, async () => {
    const { code } = await world.drover('instance', 'resume', name);
    return code === 0;
  });
  await world.judge.waitForTick(name, (before?.n ?? 0) + 2, 60_000);
  await world.judge.assertUnbroken(name);
});

test('memory is not restored over a disk that was written since, nor by any later start', async () => {
  const before = await lastTick();
  await world.ok('instance', 'suspend', name);
  await inHost(`cp ${saveFile} /var/lib/libvirt/stale && touch ${disk}`);
  expect(await world.drover('instance', 'resume', name)).toMatchObject({
    code: 3,
    err: expect.stringContaining('restoring old memory over a newer disk destroys it'),
  });
  expect(await state()).toBe('suspended');
  await world.ok('instance', 'resume', name, '--discard-memory');
  const booted = await world.judge.waitForTick(name, 1, 90_000, { notBoot: before?.boot ?? '' });
  await world.ok('instance', 'stop', name, '--grace', '1s');
  // As libvirt leaves it behind when a definition moves away: it says that nothing is saved, and would restore it.
  await inHost(`mv /var/lib/libvirt/stale ${saveFile}`);
  await world.ok('instance', 'start', name);
  const fresh = await world.judge.waitForTick(name, 1, 90_000, { notBoot: booted.boot });
  expect(fresh.boot).not.toBe(before?.boot);
  await expect(inHost(`test -e ${saveFile}`)).rejects.toThrow();
});

test('a guest whose process dies is told by its host, and brought back by its policy', async () => {
  await world.ok('instance', 'set-policy', name, '--restart', 'on-crash');
  const before = await lastTick();
  const [copy] = await world.judge.copies(name);
  process.kill(copy?.pid ?? 0, 'SIGKILL');
  await world.judge.waitForTick(name, 1, 120_000, { notBoot: before?.boot ?? '' });
  await until('the record says so', 30_000, async () => (await state()) === 'active');
  expect((await events())[0]).toMatchObject({ event: 'crashed', cause: 'its process on host1 died' });
  expect((await asked()).slice(0, 2)).toMatchObject([
    { operation: 'start', by: 'restart-policy', state: 'succeeded' },
    { operation: 'repair', by: expect.stringMatching(/observer|janitor/), state: 'succeeded' },
  ]);
});

test('a guest that somebody ends by hand is told, and stays off', async () => {
  await virsh('destroy', name);
  await until('it is told', 90_000, async () => (await state()) === 'stopped');
  const shown = await world.ok('instance', 'show', name);
  expect(shown).toContain('somebody ended it on host1');
  expect(shown).toContain(`drover instance start ${name}`);
  // The worker heard it from libvirt: what only the janitor finds has no words of libvirt.
  expect((await events())[0]).toMatchObject({ event: 'destroyed', detail: 'Stopped Destroyed' });
  expect(world.workerLog()).toContain(`instance ${name}: active -> stopped (observer)`);
});
