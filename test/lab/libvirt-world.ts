/** A lab with the libvirt driver and its activities on it, and an inventory that only takes notes. */
import { execa } from 'execa';
import { expect } from 'vitest';
import { createHypervisorActivities } from '../../activities/hypervisor/activities.js';
import type { HypervisorInventory, MigrationEnd } from '../../activities/hypervisor/deps.js';
import { createLibvirt } from '../../activities/hypervisor/libvirt/index.js';
import type { Call, MigrateInput } from '../../activities/types.js';
import { openLab, type GuestOptions } from '../../lab/lab.js';
import type { HostRef } from '../../model/host.js';
import type { LadderStep } from '../../model/operation.js';
import { openJudge } from './judge.js';

export type LibvirtWorld = Awaited<ReturnType<typeof openLibvirtWorld>>;

export interface LabCall extends Call {
  beats: Record<string, unknown>[];
  stop(requested: boolean): void;
}

export async function openLibvirtWorld(hosts: number) {
  const lab = openLab();
  await lab.up(hosts);
  const refs = await Promise.all(
    Array.from({ length: hosts }, async (_, index): Promise<HostRef> => {
      const name = `host${index + 1}`;
      return { name, uri: await lab.uri(name) };
    }),
  );
  const probes = new Map<string, Parameters<HypervisorInventory['recordProbe']>[1]>();
  const migrations = new Map<string, MigrationEnd | 'running'>();
  const inventory: HypervisorInventory = {
    hosts: async () => refs,
    recordProbe: async (host, found) => void probes.set(host, found),
    recordGuest: async () => undefined,
    expectedPowers: async () => [],
    recordPowers: async () => undefined,
    migrationStarted: async ({ id }) => void migrations.set(id, 'running'),
    migrationEnded: async (id, end) => void migrations.set(id, end),
    ladderStep: async (_id, step) => void rungs.push(step),
    migrations: async () => [],
  };
  const rungs: Omit<LadderStep, 'at'>[] = [];
  const hypervisor = createLibvirt();
  let calls = 0;

  const host = (name: string): HostRef => {
    const found = refs.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };

  const world = {
    lab,
    judge: openJudge(lab),
    hypervisor,
    activities: createHypervisorActivities({ hypervisor, inventory }),
    probes,
    migrations,
    rungs,
    refs,
    host,

    /** Every host has its power, its network and its libvirtd again. */
    async restore(): Promise<void> {
      for (const { name, up, link } of await lab.status()) {
        if (!up) await lab.boot(name);
        else if (link === 'down') await lab.heal(name);
        await lab.libvirtd(name, 'start');
      }
    },

    /** virsh as an operator would use it, beside drover. */
    async virsh(name: string, ...args: string[]): Promise<string> {
      const done = await execa('virsh', ['-q', '-c', host(name).uri, ...args], {
        timeout: 60_000,
        stdin: 'ignore',
      });
      return done.stdout.trim();
    },

    /** A counting guest that has booted; its id. Takes the place of one of that name. */
    async guest(options: GuestOptions): Promise<string> {
      await lab.removeGuest(options.name);
      await lab.createGuest(options);
      if (options.start !== false) await world.judge.waitForTick(options.name, 1, 60_000);
      return world.virsh(options.host, 'domuuid', options.name);
    },

    /** The guest never stopped counting, on this host, and nothing of it is on another. */
    async stayedWhole(name: string, on: string): Promise<void> {
      const last = (await world.judge.ticks(name)).at(-1);
      await world.judge.waitForTick(name, last?.n ?? 0, 20_000, { host: on });
      expect((await world.judge.assertUnbroken(name)).hosts).toEqual([on]);
      expect(await world.judge.copies(name)).toMatchObject([{ host: on, state: 'running' }]);
      expect(await world.judge.definitions(name)).toEqual([on]);
    },

    /** A call of a new operation, which owns the instance. */
    call(instance: string, epoch?: number): LabCall {
      calls += 1;
      const controller = new AbortController();
      const beats: Record<string, unknown>[] = [];
      let asked = false;
      return {
        owner: { instance, operation: `op-${calls}`, epoch: epoch ?? calls },
        host: null,
        signal: controller.signal,
        cancelRequested: () => asked,
        heartbeat: (details) => void beats.push(details),
        beats,
        stop(requested) {
          asked = requested;
          controller.abort();
        },
      };
    },

    move(
      instance: string,
      name: string,
      from: string,
      to: string,
      changes: Partial<MigrateInput> = {},
    ): MigrateInput {
      return {
        migration: `${name}-${calls}`,
        instance,
        name,
        source: host(from),
        target: host(to),
        copy: [],
        disks: [],
        bandwidthMiBs: null,
        timeoutSeconds: 120,
        cleanup: [],
        ...changes,
      };
    },
  };
  return world;
}

/** Waits until it holds; the message says what did not. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
