/**
 * Two vantage points in network namespaces of their own, which fail apart: what each way to fail looks like from them, and
 * that nothing is fenced on the word of one. The host has no guest and no fence device: all that happens is a verdict.
 */
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Incident } from '../../model/incident.js';
import { main } from './cli.js';
import { openWorld, until, type World } from './world.js';

const vantages = ['north', 'south'] as const;
type Vantage = (typeof vantages)[number];

let world: World;
let net: string;
const processes: Promise<unknown>[] = [];

const nameOf = (vantage: Vantage): string => `drv${net.split('.').at(-1) ?? ''}${vantage}`;
const ip = (...args: string[]) => execa('ip', args, { stdin: 'ignore' });

/** A cable to the network of the lab, and nothing else. */
async function plugIn(vantage: Vantage, last: number): Promise<void> {
  const name = nameOf(vantage);
  const near = `${name.slice(0, 10)}-l`;
  await ip('netns', 'add', name);
  await ip('link', 'add', near, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  await ip('link', 'set', near, 'master', `drlab${net.split('.').at(-1) ?? ''}`, 'up');
  await ip('-n', name, 'addr', 'add', `${net}.${last}/24`, 'dev', 'eth0');
  for (const device of ['lo', 'eth0']) await ip('-n', name, 'link', 'set', device, 'up');
  const command = ['netns', 'exec', name, process.execPath, main, 'worker', '--vantage', vantage];
  const child = execa('ip', command, {
    env: { ...process.env, ...world.env },
    cwd: world.dir,
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  processes.push(child);
}

const addressOf = async (host: string): Promise<string> => new URL(await world.lab.uri(host)).hostname;

/** Frames to the hosts go to nobody from now on; Temporal is still reached. */
async function isolate(vantage: Vantage, how: 'cut' | 'heal'): Promise<void> {
  const name = nameOf(vantage);
  for (const host of ['host1', 'host2']) {
    const address = await addressOf(host);
    await (how === 'cut'
      ? ip(
          '-n',
          name,
          'neigh',
          'replace',
          address,
          'lladdr',
          '02:00:00:00:00:01',
          'dev',
          'eth0',
          'nud',
          'permanent',
        )
      : ip('-n', name, 'neigh', 'del', address, 'dev', 'eth0'));
  }
}

beforeAll(async () => {
  world = await openWorld(2, {
    configure: async () => 'recovery: { vantages: [north, south], confirm: 5s, ask_every: 1s, settle: 0s }\n',
  });
  net = (await world.lab.gateway()).replace(/\.\d+$/, '');
  for (const [index, vantage] of vantages.entries()) await plugIn(vantage, 201 + index);
}, 240_000);

afterAll(async () => {
  // What ip started has its own id: the namespace knows it.
  for (const vantage of net === undefined ? [] : vantages) {
    const { stdout } = await execa('ip', ['netns', 'pids', nameOf(vantage)], { reject: false });
    for (const pid of stdout.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGTERM');
  }
  await Promise.all(processes);
  for (const vantage of net === undefined ? [] : vantages) await ip('netns', 'del', nameOf(vantage));
  await world?.close();
}, 120_000);

/** Recovers host1, rejects where it asks a person, and answers how the incident ended. */
async function recovered(): Promise<Incident> {
  const running = world.background('host', 'recover', 'host1', '--reason', 'the test says so');
  let ended = false;
  void running.finally(() => {
    ended = true;
  });
  await until('it ends, or asks', 120_000, async () => {
    const open = (await world.json<Incident[]>('incident', 'list')).find(({ endedAt }) => endedAt === null);
    if (open !== undefined && open.waitsFor !== null) await world.drover('incident', 'reject', open.id);
    return ended;
  });
  const [newest] = (await world.json<Incident[]>('incident', 'list')).toSorted((a, b) =>
    b.openedAt.localeCompare(a.openedAt),
  );
  if (newest === undefined) throw new Error('there is no incident');
  const shown = await world.json<Incident>('incident', 'show', newest.id);
  expect(shown.evidence).toBeNull();
  const [host1] = await world.hosts();
  expect(host1).toMatchObject({ name: 'host1' });
  return shown;
}

const verdictOf = ({ verdict }: Incident) => verdict?.verdict;

test('a host that is well is alive, also where one vantage point sees nobody', async () => {
  expect(await recovered()).toMatchObject({ state: 'false-alarm', verdict: { verdict: 'alive' } });
  await isolate('north', 'cut');
  const alone = await recovered();
  expect(alone).toMatchObject({ state: 'false-alarm', verdict: { verdict: 'alive' } });
  expect(alone.verdict?.says).toContain('answers south');
  const north = alone.verdict?.testimonies.find(({ vantage }) => vantage === 'north');
  expect(north).toMatchObject({ isolated: true, controls: { asked: 1, answered: 0 } });
});

test('a host that is cut off is down by two, and nothing by one', async () => {
  await world.lab.partition('host1');
  const unclear = await recovered();
  expect(verdictOf(unclear)).toBe('unclear');
  expect(unclear).toMatchObject({ state: 'not-fenced' });
  expect(unclear.verdict?.says).toContain('north sees none of 1 other hosts either: it is cut off itself');

  await isolate('north', 'heal');
  const down = await recovered();
  expect(verdictOf(down)).toBe('down');
  expect(down.verdict?.says).toContain('north and south see other hosts, and no sign of life of host1');
  // Nobody is on it: it is not fenced either.
  expect(down).toMatchObject({ state: 'not-fenced' });
  await world.lab.heal('host1');
});

test('a libvirtd that hangs is no dead host', async () => {
  const signal = (name: string) =>
    world.lab.exec('host1', ['sh', '-c', `kill -${name} $(cat /run/libvirtd.pid)`]);
  await signal('STOP');
  try {
    const hung = await recovered();
    expect(verdictOf(hung)).toBe('hung');
    expect(hung.verdict?.says).toContain('its network answers north');
  } finally {
    await signal('CONT');
  }
  expect(verdictOf(await recovered())).toBe('alive');
});
