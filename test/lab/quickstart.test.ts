/**
 * The README's quick start, its commands read from there, and the real `drover dev` beneath it. Only the
 * network and the ports are the test's own. What became of the guests is the judge's word.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLab } from '../../lab/lab.js';
import { withoutTemporal } from '../../temporal/child.js';
import { readDevFile } from '../../temporal/dev-file.js';
import { processStart } from '../../temporal/processes.js';
import { freePort } from '../temporal/helpers.js';
import { openCli } from './cli.js';
import { openJudge } from './judge.js';
import { migrating, until } from './world.js';

/** The commands of the README, `$i` of its loop put in, without `npx drover`. */
function quickStart(): string[] {
  const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');
  const block = readme.split('## Real hosts on one machine')[1]?.split('\n## ')[0] ?? '';
  const commandsOf = (text: string): string[] =>
    [...text.matchAll(/npx drover ([^;#\n]+)/g)].map(([, words = '']) => words.trim());
  const [before = '', loop = '', after = ''] = block.split(/^ *for i in 1 2 3; do$|^ *done$/m);
  const looped = ['1', '2', '3'].flatMap((i) => commandsOf(loop.replaceAll('$i', i)));
  return [...commandsOf(before), ...looped, ...commandsOf(after)];
}

describe("the README's quick start", () => {
  const lab = openLab();
  const judge = openJudge(lab);
  const dir = mkdtempSync(join(tmpdir(), 'drover-quickstart-'));
  const dataDir = join(dir, '.drover');
  // As in a fresh shell, but for the lab's and the Temporal binary's place.
  const { DROVER_CONFIG: _, ...env } = withoutTemporal();
  const cli = openCli(dir, env);
  const commands = quickStart();
  const guests = ['vm1', 'vm2', 'vm3', 'vm4', 'vm5', 'vm6'];
  let dev: string[] = [];

  beforeAll(() => lab.wipe());
  afterAll(async () => {
    await cli.drover('dev', '--stop');
    await lab.wipe();
    rmSync(dir, { recursive: true, force: true });
  });

  /** One command of the README, on this test's network and ports. */
  async function follow(command: string): Promise<string> {
    if (!command.includes('10.77.0.1')) return cli.ok(...command.split(' '));
    const words = command.replace('10.77.0.1', await lab.gateway()).split(' ');
    if (words[0] === 'dev') {
      words.push('--port', String(await freePort()), '--ui-port', String(await freePort()));
      dev = words;
    }
    return cli.ok(...words);
  }

  /** Pids of what works on the data folder, by the command lines of all processes; dev.json is not asked. */
  async function devProcesses(): Promise<number[]> {
    const look = async (): Promise<number[]> => {
      const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
      const lines = await Promise.all(
        pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
      );
      return pids.filter((_pid, i) => lines[i]?.includes(dataDir)).map(Number);
    };
    // What the worker has just forked has the worker's command line, until it is virsh.
    const before = await look();
    await sleep(500);
    return (await look()).filter((pid) => before.includes(pid));
  }

  /** Each guest is there once and has counted without a gap, and goes on counting. */
  async function assertHerd(): Promise<void> {
    for (const name of guests) {
      expect(await judge.copies(name), name).toMatchObject([{ state: 'running' }]);
      expect(await judge.definitions(name), name).toHaveLength(1);
      const last = (await judge.ticks(name)).at(-1)?.n ?? 0;
      await judge.waitForTick(name, last, 60_000);
      await judge.assertUnbroken(name);
    }
  }

  test('its commands, word for word: six guests taken over, host1 emptied, no guest noticed', async () => {
    expect(commands[0]).toBe('lab up 3');
    expect(commands.slice(-2)).toEqual(['dev --stop', 'lab wipe']);
    const listed = commands.indexOf('instance list');
    expect(commands[listed + 1]).toBe('host drain host1');
    for (const command of commands.slice(0, listed)) await follow(command);

    // The workers of the hosts were started a moment ago.
    await until('doctor finds nothing wrong', 30_000, async () => (await cli.drover('doctor')).code === 0);
    const checks = await cli.json<{ name: string; state: string; message: string }[]>('doctor');
    // Hosts that were just added have neither fence devices nor vantage points yet, and that is told.
    const recoveries = /no fence device|observer that is cut off/;
    const others = checks.filter(({ state, message }) => state !== 'ok' && !recoveries.test(message));
    expect(others.map(({ message }) => message)).toEqual([]);
    expect(checks.map((check) => check.name)).toContain('worker of host3');
    const list = await follow('instance list');
    for (const name of guests) expect(list).toMatch(new RegExp(`^${name} .*active`, 'm'));
    expect(await judge.domains('host1')).not.toEqual([]);

    for (const command of commands.slice(listed + 1, -2)) await follow(command);
    expect(await judge.domains('host1')).toEqual([]);
    await assertHerd();
  });

  test('SIGKILL of drover dev in the middle of a drain: the next one ends the orphans, and the run goes on', async () => {
    const killed = readDevFile(dataDir);
    if (killed === undefined) throw new Error('no drover dev runs');
    const before = await devProcesses();
    expect(before).toEqual(expect.arrayContaining([killed.pid, killed.server?.pid]));
    const again = await cli.drover(...dev);
    expect(again).toMatchObject({ code: 3, err: expect.stringContaining('runs on') });

    const [first] = await judge.domains('host2');
    await cli.ok('lab', 'link', 'host2', '40mbit');
    const drain = cli.background('host', 'drain', 'host2');
    await migrating(lab, first?.name ?? '', 'host2');
    const [run] = await cli.json<{ id: string; state: string }[]>('run', 'list');
    expect(run?.state).toBe('running');
    process.kill(killed.pid, 'SIGKILL');
    await until('drover dev is dead', 5000, () => processStart(killed.pid) === undefined);
    const orphans = await devProcesses();
    expect(new Set(orphans)).toEqual(new Set(before.filter((pid) => pid !== killed.pid)));

    expect(await cli.ok(...dev)).toContain('an earlier drover dev was killed');
    const now = await devProcesses();
    expect(now).toHaveLength(before.length);
    expect(now.filter((pid) => before.includes(pid))).toEqual([]);
    // Nothing was given up, and the run is not over: it is this drover dev that brings it to its end.
    expect(await judge.domains('host2')).not.toEqual([]);
    await cli.ok('lab', 'link', 'host2', 'off');
    expect(await cli.ok('run', 'watch', run?.id ?? '')).toContain('succeeded');
    expect((await drain).exitCode).toBe(0);
    expect(await judge.domains('host2')).toEqual([]);
    await assertHerd();
  });

  test('dev --stop leaves no process, also of one that was killed; lab wipe leaves no host', async () => {
    const killed = readDevFile(dataDir);
    if (killed === undefined) throw new Error('no drover dev runs');
    process.kill(killed.pid, 'SIGKILL');
    await until('drover dev is dead', 5000, () => processStart(killed.pid) === undefined);
    expect(await devProcesses()).not.toEqual([]);
    await follow('dev --stop');
    expect(await devProcesses()).toEqual([]);
    // The same after one that nobody killed; guests run on without any drover.
    await cli.ok(...dev);
    expect(await devProcesses()).toHaveLength(4);
    await follow('dev --stop');
    expect(await devProcesses()).toEqual([]);
    await assertHerd();

    const hosts = await lab.status();
    await follow('lab wipe');
    expect(hosts.filter(({ pid }) => pid !== null && processStart(pid) !== undefined)).toEqual([]);
    expect(await cli.json('lab', 'status')).toEqual([]);
  });
});
