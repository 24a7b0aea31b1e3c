import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../../activities/clock.js';
import { createHostActivities } from '../../../activities/host/activities.js';
import { createHostWaitActivities } from '../../../activities/host/wait-for-host.js';
import type { Call } from '../../../activities/types.js';
import { DroverError } from '../../../model/errors.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-host-'));
  await writeFile(join(folder, 'boot_id'), 'boot-1\n');
});
afterEach(() => rm(folder, { recursive: true }));

/** Time that passes while somebody sleeps; `during` happens then. */
function clockOf(during: (slept: number) => void = () => undefined): Clock & { slept: number } {
  const clock = {
    slept: 0,
    now: () => clock.slept,
    sleep: async (ms: number) => {
      clock.slept += ms;
      during(clock.slept);
    },
  };
  return clock;
}

function callOf(requested = true) {
  const canceller = new AbortController();
  const beats: Record<string, unknown>[] = [];
  const call: Call = {
    owner: null,
    host: null,
    signal: canceller.signal,
    cancelRequested: () => requested && canceller.signal.aborted,
    heartbeat: (details) => beats.push(details),
  };
  return { call, beats, stop: () => canceller.abort() };
}

describe('rebootHost', () => {
  const worker = (rebootCommand: string[], clock?: Clock) =>
    createHostActivities({ rebootCommand, bootIdFile: join(folder, 'boot_id'), ...(clock ? { clock } : {}) });
  const asked = () => readFile(join(folder, 'asked'), 'utf8').catch(() => '');
  const command = () => [process.execPath, '-e', `require('fs').appendFileSync('${folder}/asked', 'once')`];

  test('asks for a reboot and never answers from the boot in which it asked', async () => {
    const { call, beats, stop } = callOf(false);
    const clock = clockOf((slept) => {
      if (slept >= 5000) stop();
    });
    await expect(worker(command(), clock).rebootHost({ boot: 'boot-1' }, call)).rejects.toMatchObject({
      // Not asked for by anybody: Temporal tries again, in the boot that comes.
      code: 'Cancelled',
      message: 'stopped waiting for the host to go down',
    });
    expect(await asked()).toBe('once');
    expect(beats).toHaveLength(5);
  });

  test('in another boot it answers with that, and reboots nothing', async () => {
    const { call } = callOf();
    expect(await worker(command()).bootId({}, call)).toEqual({ boot: 'boot-1' });
    expect(await worker(command()).rebootHost({ boot: 'boot-0' }, call)).toEqual({ boot: 'boot-1' });
    expect(await asked()).toBe('');
  });

  test('a command that fails, or is not there, is told with what it said', async () => {
    const { call } = callOf();
    const denied = [process.execPath, '-e', 'console.error("access denied"); process.exit(1)'];
    await expect(worker(denied).rebootHost({ boot: 'boot-1' }, call)).rejects.toMatchObject({
      code: 'HostError',
      message: expect.stringMatching(/^the host was not rebooted: `.*`: access denied$/),
    });
    await expect(worker(['/no/such']).rebootHost({ boot: 'boot-1' }, call)).rejects.toMatchObject({
      code: 'HostError',
      hint: expect.stringContaining('--reboot-command'),
    });
  });

  test('no shell reads the command', async () => {
    const { call, stop } = callOf();
    const clock = clockOf(() => stop());
    const say = [process.execPath, '-e', 'require("fs").writeFileSync(process.argv[1], process.argv[2])'];
    const words = [...say, join(folder, 'asked'), '$(id); true'];
    await expect(worker(words, clock).rebootHost({ boot: 'boot-1' }, call)).rejects.toMatchObject({
      message: 'cancelled while waiting for the host to go down',
    });
    expect(await asked()).toBe('$(id); true');
  });
});

describe('waitForHost', () => {
  const ref = { name: 'kvm-1', uri: 'test://kvm-1' };
  const size = { vcpus: 8, memoryMiB: 1024 };
  const facts = {
    hostname: 'kvm-1',
    systemUuid: 'u',
    ...size,
    hypervisor: 'test',
    cpu: null,
    networks: null,
  };
  function waiting(looks: (typeof facts | Error)[], clock: Clock) {
    const recorded: unknown[] = [];
    const activities = createHostWaitActivities({
      hypervisor: {
        facts: async () => {
          const look = looks.length > 1 ? looks.shift() : looks[0];
          if (look instanceof Error) throw look;
          return look ?? facts;
        },
      },
      inventory: { recordProbe: async (...probe) => void recorded.push(probe) },
      clock,
    });
    return { activities, recorded };
  }
  const silent = new DroverError('HypervisorUnreachable', 'kvm-1: connection refused');

  test('asks until it answers, and records at once that it is up', async () => {
    const clock = clockOf();
    const { activities, recorded } = waiting([silent, silent, facts], clock);
    const { call, beats } = callOf();
    await activities.waitForHost({ host: ref, seconds: 60 }, call);
    expect(recorded).toEqual([['kvm-1', { up: true, facts }]]);
    expect(beats).toHaveLength(2);
    expect(clock.slept).toBe(2000);
  });

  test('ends with its time, or when it is cancelled; a bug is no silence', async () => {
    const { call, stop } = callOf();
    const late = waiting([silent], clockOf());
    await expect(late.activities.waitForHost({ host: ref, seconds: 5 }, call)).rejects.toMatchObject({
      code: 'TimedOut',
      message: 'kvm-1: connection refused',
    });
    expect(late.recorded).toEqual([]);
    const cancelled = waiting([silent], clockOf(stop)).activities;
    await expect(cancelled.waitForHost({ host: ref, seconds: 5 }, call)).rejects.toMatchObject({
      code: 'Cancelled',
      message: 'cancelled while waiting for kvm-1 to answer',
    });
    const broken = waiting([new TypeError('a bug')], clockOf()).activities;
    await expect(broken.waitForHost({ host: ref, seconds: 5 }, callOf().call)).rejects.toThrow('a bug');
  });
});
