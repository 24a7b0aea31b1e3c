/**
 * What every driver of the hypervisor port must do alike. A driver's test calls this with a world of two
 * hosts; nothing here knows which driver it is.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GuestSpec, Hypervisor, Move } from '../../activities/hypervisor/port.js';
import type { HostRef } from '../../model/host.js';
import type { Disk } from '../../model/instance.js';
import { definitions } from './definitions.js';
import { saveAndWatch } from './save-and-watch.js';

export interface ContractWorld {
  hypervisor: Hypervisor;
  hosts: [HostRef, HostRef];
  /** A host that does not exist: its address answers nobody. */
  nowhere: HostRef;
  /** A new, empty disk that both hosts share. */
  sharedDisk(name: string): Promise<Disk>;
  /** A new, empty disk on the first host; with `prepared` also one of the same size on the second. */
  localDisk(name: string, prepared: boolean): Promise<Disk>;
  close(): Promise<void>;
}

export function hypervisorContract(driver: string, open: () => Promise<ContractWorld>): void {
  describe(`the hypervisor contract: ${driver}`, () => {
    let world: ContractWorld;
    let hypervisor: Hypervisor;
    let one: HostRef;
    let two: HostRef;
    const made: string[] = [];
    const unknown = randomUUID();

    beforeAll(async () => {
      world = await open();
      hypervisor = world.hypervisor;
      [one, two] = world.hosts;
    });
    afterEach(async () => {
      for (const id of made.splice(0)) {
        for (const host of world.hosts) {
          await hypervisor.destroy(host, id);
          await hypervisor.undefine(host, id);
        }
      }
    });
    afterAll(() => world.close());

    const stampOf = (id: string, epoch = 1) => ({ instance: id, operation: `op-${epoch}`, epoch });

    async function define(disks: Disk[] = [], name = `contract-${made.length}`): Promise<GuestSpec> {
      const spec = { id: randomUUID(), name, vcpus: 1, memoryMiB: 64, disks, bridges: [] };
      made.push(spec.id);
      await hypervisor.define(one, spec, stampOf(spec.id));
      return spec;
    }

    async function started(disks?: Disk[]): Promise<GuestSpec> {
      const spec = await define(disks);
      await hypervisor.start(one, spec.id);
      return spec;
    }

    async function migrate(
      spec: GuestSpec,
      copy: string[] = [],
      allowed: Pick<Move, 'autoConverge' | 'postCopy'> = {},
    ): Promise<string | null> {
      const ways = { id: spec.id, name: spec.name, source: one, target: two };
      const move = { ...ways, copy, bandwidthMiBs: null, ...allowed };
      return (await hypervisor.startMigration(move)).ended;
    }

    it('tells the facts of a host, and its identity is not its name', async () => {
      const [first, second] = [await hypervisor.facts(one), await hypervisor.facts(two)];
      for (const { cpu, networks } of [first, second]) {
        expect(cpu).toMatchObject({ arch: 'x86_64', vendor: expect.any(String), model: expect.any(String) });
        // None at all where the processor is exactly what its model says.
        expect(cpu?.features).toEqual(expect.any(Array));
        expect(networks?.length).toBeGreaterThan(0);
      }
      expect(first.vcpus).toBeGreaterThan(0);
      expect(first.memoryMiB).toBeGreaterThan(64);
      expect(first.systemUuid).not.toBe(second.systemUuid);
    });

    it('says in bounded time that a host does not answer', async () => {
      const begun = Date.now();
      await expect(hypervisor.facts(world.nowhere)).rejects.toMatchObject({ code: 'HypervisorUnreachable' });
      await expect(hypervisor.look(world.nowhere, unknown)).rejects.toMatchObject({
        code: 'HypervisorUnreachable',
      });
      expect(Date.now() - begun).toBeLessThan(16_000);
    });

    it('knows nothing of a guest that is not there', async () => {
      await expect(hypervisor.look(one, unknown)).resolves.toBeNull();
      await expect(hypervisor.job(one, unknown)).resolves.toBeNull();
      await expect(hypervisor.completedMigration(one, unknown)).resolves.toBeNull();
      for (const change of ['start', 'save', 'pause', 'unpause', 'requestShutdown'] as const) {
        await expect(hypervisor[change](one, unknown)).rejects.toMatchObject({ code: 'NotFound' });
      }
      await hypervisor.destroy(one, unknown);
      await hypervisor.undefine(one, unknown);
      await hypervisor.abortJob(one, unknown);
    });

    it('defines a guest, twice as once, with its stamp', async () => {
      const spec = await define([await world.sharedDisk('contract-define')]);
      await hypervisor.define(one, spec, stampOf(spec.id));
      const view = await hypervisor.look(one, spec.id);
      const { bridges: _, ...told } = spec;
      expect(view).toMatchObject({ ...told, power: 'shutoff', persistent: true, stamp: stampOf(spec.id) });
      expect((await hypervisor.list(one)).filter((guest) => guest.id === spec.id)).toEqual([view]);
      expect(await hypervisor.names(one)).toContainEqual({ id: spec.id, name: spec.name });
    });

    it('refuses a second guest of the same name', async () => {
      const { name } = await define();
      await expect(define([], name)).rejects.toMatchObject({
        code: 'HypervisorError',
        message: expect.stringContaining(name),
      });
    });

    it('starts, pauses and ends a guest, each twice as once', async () => {
      const { id } = await started();
      await hypervisor.start(one, id);
      expect((await hypervisor.look(one, id))?.power).toBe('running');
      for (const [change, power] of [
        ['pause', 'paused'],
        ['unpause', 'running'],
        ['destroy', 'shutoff'],
      ] as const) {
        await hypervisor[change](one, id);
        await hypervisor[change](one, id);
        expect((await hypervisor.look(one, id))?.power).toBe(power);
      }
      await hypervisor.undefine(one, id);
      await hypervisor.undefine(one, id);
      expect(await hypervisor.look(one, id)).toBeNull();
    });

    it('refuses to remove the definition of a running guest', async () => {
      const { id } = await started();
      await expect(hypervisor.undefine(one, id)).rejects.toMatchObject({ code: 'HypervisorError' });
      expect(await hypervisor.look(one, id)).toMatchObject({ power: 'running', persistent: true });
    });

    it('turns an autostart off, also of a guest that has none', async () => {
      const { id } = await started();
      await hypervisor.disableAutostart(one, id);
      await hypervisor.disableAutostart(one, id);
      expect(await hypervisor.look(one, id)).toMatchObject({ autostart: false, power: 'running' });
    });

    it('stamps a guest, running or not, and it stays stamped', async () => {
      const { id } = await started();
      const stamp = async (epoch: number) => {
        const seen = await hypervisor.look(one, id);
        if (seen !== null) await hypervisor.stamp(one, seen, stampOf(id, epoch));
      };
      await stamp(2);
      expect((await hypervisor.look(one, id))?.stamp).toEqual(stampOf(id, 2));
      await hypervisor.destroy(one, id);
      expect((await hypervisor.look(one, id))?.stamp).toEqual(stampOf(id, 2));
      await stamp(3);
      await hypervisor.start(one, id);
      expect((await hypervisor.look(one, id))?.stamp).toEqual(stampOf(id, 3));
    });

    saveAndWatch(() => ({ hypervisor, one, nowhere: world.nowhere, define, started, stampOf }));

    definitions(() => {
      const sharedDisk = (name: string) => world.sharedDisk(name);
      return { hypervisor, one, two, define, started, stampOf, sharedDisk };
    });

    it('copies the definition of a guest that is off, with its stamp, and keeps the one it copied', async () => {
      const { id, name } = await define([await world.sharedDisk('off')]);
      await hypervisor.copyDefinition(one, two, id);
      await hypervisor.copyDefinition(one, two, id);
      for (const host of [one, two])
        expect(await hypervisor.look(host, id)).toMatchObject({
          name,
          power: 'shutoff',
          persistent: true,
          vcpus: 1,
          memoryMiB: 64,
          stamp: stampOf(id),
        });
    });

    it('copies no definition of a guest that is on, nor one over it, nor what is not there', async () => {
      const { id } = await started([await world.sharedDisk('on')]);
      const refused = { code: 'HypervisorError' };
      await expect(hypervisor.copyDefinition(one, two, id)).rejects.toMatchObject(refused);
      expect(await hypervisor.look(two, id)).toBeNull();
      await expect(hypervisor.copyDefinition(one, two, unknown)).rejects.toMatchObject({ code: 'NotFound' });
    });

    it('gives a guest that is off another size, up and down; one that is on is refused', async () => {
      const { id } = await define();
      for (const size of [
        { vcpus: 3, memoryMiB: 128 },
        { vcpus: 3, memoryMiB: 128 },
        { vcpus: 2, memoryMiB: 64 },
      ]) {
        await hypervisor.resizeDefinition(one, id, size);
        expect(await hypervisor.look(one, id)).toMatchObject(size);
      }
      await hypervisor.start(one, id);
      const other = { vcpus: 1, memoryMiB: 64 };
      await expect(hypervisor.resizeDefinition(one, id, other)).rejects.toMatchObject({
        code: 'HypervisorError',
      });
      expect(await hypervisor.look(one, id)).toMatchObject({ vcpus: 2, memoryMiB: 64 });
    });

    it('has no job, and ends none, when nothing moves', async () => {
      const { id } = await started();
      expect(await hypervisor.job(one, id)).toBeNull();
      await hypervisor.abortJob(one, id);
    });

    it('moves a running guest with its stamp and leaves nothing behind', async () => {
      const spec = await started([await world.sharedDisk('contract-move')]);
      expect(await migrate(spec)).toBeNull();
      expect(await hypervisor.look(one, spec.id)).toBeNull();
      expect(await hypervisor.look(two, spec.id)).toMatchObject({
        power: 'running',
        persistent: true,
        stamp: stampOf(spec.id),
      });
      const figures = await hypervisor.completedMigration(two, spec.id);
      expect(figures?.downtimeMs).toBeGreaterThanOrEqual(0);
      expect(figures?.totalMs).toBeGreaterThan(0);
    });

    it('moves a paused guest, and it is paused', async () => {
      const spec = await started();
      await hypervisor.pause(one, spec.id);
      expect(await migrate(spec)).toBeNull();
      expect(await hypervisor.look(two, spec.id)).toMatchObject({ power: 'paused', persistent: true });
      await hypervisor.unpause(two, spec.id);
    });

    it('copies a local disk into a prepared one of the same size', async () => {
      const spec = await started([await world.localDisk('contract-block', true)]);
      expect(await migrate(spec, ['vda'])).toBeNull();
      expect(await hypervisor.look(two, spec.id)).toMatchObject({ power: 'running', disks: spec.disks });
    });

    it('copies only the local one of two disks', async () => {
      const local = { ...(await world.localDisk('contract-mixed-local', true)), target: 'vdb' };
      const spec = await started([await world.sharedDisk('contract-mixed-shared'), local]);
      expect(await migrate(spec, ['vdb'])).toBeNull();
      expect(await hypervisor.look(two, spec.id)).toMatchObject({ power: 'running', disks: spec.disks });
    });

    it('takes what is allowed to a migration, and tells no halves of a whole guest', async () => {
      const spec = await started([await world.sharedDisk('contract-armed')]);
      await hypervisor.setMaxDowntime(one, spec.id, 400);
      await hypervisor.setBandwidth(one, spec.id, 200);
      await hypervisor.setBandwidth(one, spec.id, null);
      expect(await hypervisor.look(one, spec.id)).toMatchObject({ power: 'running', postCopy: null });
      expect(await migrate(spec, [], { autoConverge: true, postCopy: true })).toBeNull();
      expect(await hypervisor.look(two, spec.id)).toMatchObject({ power: 'running', postCopy: null });
    });

    it('neither switches over nor joins what does not migrate', async () => {
      const spec = await started();
      const move = { id: spec.id, name: spec.name, source: one, target: two, copy: [], bandwidthMiBs: null };
      await expect(hypervisor.startPostCopy(one, spec.id)).rejects.toMatchObject({ code: 'HypervisorError' });
      await expect(hypervisor.resumePostCopy(move)).rejects.toMatchObject({ code: 'HypervisorError' });
      await expect(hypervisor.startPostCopy(one, unknown)).rejects.toMatchObject({ code: 'NotFound' });
      expect(await hypervisor.look(one, spec.id)).toMatchObject({ power: 'running' });
    });

    it('does not move a guest to where another has its name', async () => {
      const spec = await started();
      const other = { ...spec, id: randomUUID() };
      made.push(other.id);
      await hypervisor.define(two, other, stampOf(other.id));
      expect(await migrate(spec)).toContain(other.id);
      expect(await hypervisor.look(one, spec.id)).toMatchObject({ power: 'running', persistent: true });
      expect(await hypervisor.look(two, other.id)).toMatchObject({ power: 'shutoff' });
    });

    it('leaves the guest running when the migration cannot be', async () => {
      const spec = await started([await world.localDisk('contract-unprepared', false)]);
      expect(await migrate(spec)).toEqual(expect.any(String));
      expect(await migrate(spec, ['vda'])).toEqual(expect.any(String));
      await delay(500);
      expect(await hypervisor.look(one, spec.id)).toMatchObject({ power: 'running', persistent: true });
      expect(await hypervisor.look(two, spec.id)).toBeNull();
    });
  });
}
