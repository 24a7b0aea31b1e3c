/** A simulated datacenter of three hosts with the hypervisor's activities on it, on a clock that jumps. */
import { createHypervisorActivities } from '../../../activities/hypervisor/activities.js';
import type { MigrationEnd } from '../../../activities/hypervisor/deps.js';
import type { Call, MigrateInput } from '../../../activities/types.js';
import { openDatacenter } from '../../../activities/simulator/datacenter.js';
import type { Tx } from '../../../activities/simulator/database.js';
import { createSimulatedDisks } from '../../../activities/simulator/disks.js';
import { giveFault, type Fault } from '../../../activities/simulator/faults.js';
import { putFile } from '../../../activities/simulator/files.js';
import { copiesOf } from '../../../activities/simulator/guests.js';
import { addHost, localDirectory, sharedDirectory, uuidOf } from '../../../activities/simulator/hosts.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import type { HostRef } from '../../../model/host.js';
import type { LadderStep } from '../../../model/operation.js';
import { jumpClock } from './jump-clock.js';

export type SimulatedWorld = Awaited<ReturnType<typeof openWorld>>;

export interface WorldCall extends Call {
  beats: Record<string, unknown>[];
  stop(requested: boolean): void;
}

const gib = 1024 ** 3;

export async function openWorld() {
  const clock = jumpClock();
  const datacenter = openDatacenter({ path: ':memory:', name: 'dc', clock });
  await datacenter.transact((tx) => {
    for (const [index, rack] of ['rack-1', 'rack-1', 'rack-2'].entries()) {
      const added = { name: `host${index + 1}`, rack, zone: 'zone-1', vcpus: 8, memoryMiB: 16_384 };
      addHost(tx, 'dc', added);
    }
  });
  const hypervisor = createSimulatedHypervisor(datacenter);
  const ends = new Map<string, MigrationEnd>();
  const rungs: Omit<LadderStep, 'at'>[] = [];
  const inventory = {
    hosts: async () => ['host1', 'host2', 'host3'].map(host),
    recordProbe: async () => undefined,
    recordGuest: async () => undefined,
    expectedPowers: async () => [],
    recordPowers: async () => undefined,
    migrationStarted: async () => undefined,
    migrationEnded: async (id: string, end: MigrationEnd) => void ends.set(id, end),
    ladderStep: async (_id: string, step: Omit<LadderStep, 'at'>) => void rungs.push(step),
    migrations: async () => [],
  };
  let calls = 0;

  function host(name: string): HostRef {
    return { name, uri: `sim://dc/${name}` };
  }
  const call = (instance: string, on: string | null = null, epoch?: number): WorldCall => {
    calls += 1;
    const controller = new AbortController();
    const beats: Record<string, unknown>[] = [];
    let asked = false;
    return {
      owner: { instance, operation: `op-${epoch ?? calls}`, epoch: epoch ?? calls },
      host: on,
      signal: controller.signal,
      cancelRequested: () => asked,
      heartbeat: (details) => void beats.push(details),
      beats,
      stop(requested) {
        asked = requested;
        controller.abort();
      },
    };
  };

  const putDisk = (on: string, path: string, bytes = gib) =>
    datacenter.transact((tx) =>
      putFile(tx, on, { path, format: 'qcow2', bytes, allocated: 0, refers_to: null }),
    );

  return {
    clock,
    datacenter,
    hypervisor,
    activities: createHypervisorActivities({ hypervisor, inventory, clock }),
    disks: createSimulatedDisks(datacenter),
    ends,
    rungs,
    host,
    call,
    putDisk,
    close: () => datacenter.close(),
    sql: <T>(work: (tx: Tx) => T) => datacenter.transact(work),
    fault: (fault: Fault) => datacenter.transact((tx) => giveFault(tx, fault)),
    /** Where it is and how, on every host at once. */
    copies: (id: string) =>
      datacenter.transact((tx) => copiesOf(tx, id).map(({ host: on, power }) => `${on}: ${power}`)),

    /** A guest that runs on host1 with 1 GiB of memory. */
    async guest(name: string, options: { local?: boolean; memoryMiB?: number } = {}): Promise<string> {
      const { local = false, memoryMiB = 1024 } = options;
      const id = uuidOf(name);
      const path = `${local ? localDirectory : sharedDirectory}/${name}.qcow2`;
      await putDisk('host1', path);
      const disks = [{ target: 'vda', path, format: 'qcow2' as const, readonly: false }];
      const spec = { id, name, vcpus: 1, memoryMiB, disks, bridges: [] };
      await hypervisor.define(host('host1'), spec, { instance: id, operation: 'op-0', epoch: 0 });
      await hypervisor.start(host('host1'), id);
      await clock.pass(5_000);
      return id;
    },

    move(instance: string, name: string, changes: Partial<MigrateInput> = {}): MigrateInput {
      const sides = { source: host('host1'), target: host('host2') };
      const none = { copy: [], disks: [], bandwidthMiBs: null, timeoutSeconds: 600, cleanup: [] };
      return { migration: `${name}-${calls}`, instance, name, ...sides, ...none, ...changes };
    },
  };
}
