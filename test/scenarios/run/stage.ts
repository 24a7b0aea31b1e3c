/** Plays a scenario on a cloud in virtual time: sets it up, and lets happen what it says at its times. */
import { dirname, join } from 'node:path';
import { transact } from '../../../activities/inventory/database.js';
import { createFlavor } from '../../../activities/inventory/flavors.js';
import { createGroup } from '../../../activities/inventory/groups.js';
import { setLock } from '../../../activities/inventory/instances.js';
import { flag } from '../../../activities/inventory/rows.js';
import { recoveryOf } from '../../../config/recovery.js';
import { giveFault, type Fault } from '../../../activities/simulator/faults.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import { fileOn, putFile } from '../../../activities/simulator/files.js';
import { localDirectory, sharedDirectory } from '../../../activities/simulator/hosts.js';
import { refOf, VirtualCloud } from '../../../virtual/cloud.js';
import type { Handle } from '../../../virtual/handle.js';
import { act } from './act.js';
import { msOf, type Scenario } from './scenario.js';

export interface Stage {
  cloud: VirtualCloud;
  scenario: Scenario;
  /** Where its runbooks are. */
  folder: string;
  /** By their `as`. */
  started: Map<string, Handle>;
  /** Ids by the names of instances. */
  ids: Map<string, string>;
}

export async function openStage(scenario: Scenario, file: string): Promise<Stage> {
  const cloud = await VirtualCloud.open({ seed: scenario.seed, hosts: [] });
  const stage: Stage = { cloud, scenario, folder: dirname(file), started: new Map(), ids: new Map() };
  cloud.strategy = scenario.placement;
  Object.assign(cloud.recovery, recoveryOf(scenario.recovery));
  for (const {
    name,
    rack,
    slots,
    memory,
    reserved,
    'control-plane': controlPlane,
    ...rest
  } of scenario.hosts) {
    await cloud.addHost(name, rack, slots, { ...rest, memoryMiB: memory });
    const marks = { reserved: flag(reserved), control_plane: flag(controlPlane) };
    await transact(cloud.inventory, (trx) =>
      trx.updateTable('hosts').set(marks).where('name', '=', name).execute(),
    );
  }
  for (const [name, policy] of Object.entries(scenario.groups))
    await createGroup(cloud.inventory, name, policy);
  for (const { name, vcpus, memory, disk } of scenario.flavors)
    await createFlavor(cloud.inventory, { id: name, name, vcpus, memoryMiB: memory, diskGiB: disk });
  for (const instance of scenario.instances) {
    if (instance.stranger) await addStranger(stage, instance);
    else for (const one of copiesOf(instance)) await addInstance(stage, one);
  }
  return stage;
}

/** Until the time that it says, or until nothing is under way. */
export async function play(stage: Stage): Promise<void> {
  const { cloud, scenario } = stage;
  const events = [
    ...scenario.faults.map(({ at, fault }) => ({ at: msOf(at), happen: () => strike(stage, fault) })),
    ...scenario.do.map((action) => ({ at: msOf(action.at), happen: () => act(stage, action) })),
  ].toSorted((one, other) => one.at - other.at);
  const rest = scenario.janitor ? cloud.scheduleJanitor() : () => undefined;
  for (const { at, happen } of events) {
    await passTo(cloud, at);
    await happen();
  }
  if (scenario.until === undefined) await cloud.settle();
  else await passTo(cloud, msOf(scenario.until));
  rest();
}

async function passTo({ clock }: VirtualCloud, at: number): Promise<void> {
  const left = clock.start + at - clock.now();
  if (left > 0) await clock.advance(left);
}

/** The fault happens now, and the log says so. */
export async function strike({ cloud }: Pick<Stage, 'cloud'>, fault: Fault): Promise<void> {
  const { do: kind, at: _at, ...rest } = fault;
  const about = Object.entries(rest).map(([key, value]) => `${key} ${[value].flat().join(', ')}`);
  cloud.log.add('world', 'datacenter', [kind, ...about].join(', '));
  await cloud.datacenter.transact((tx) => giveFault(tx, fault));
}

const copiesOf = (one: Scenario['instances'][number]): Scenario['instances'] =>
  one.count === 1
    ? [one]
    : Array.from({ length: one.count }, (_, index) => ({ ...one, name: `${one.name}-${index + 1}` }));

async function addInstance(
  { cloud, ids }: Stage,
  {
    name,
    host,
    state,
    vcpus,
    memory,
    disk,
    local,
    dirty,
    deaf,
    locked,
    restart,
    policy,
    mixed,
    group,
    ha,
  }: Scenario['instances'][number],
): Promise<void> {
  const size = { vcpus, memoryMiB: memory, diskGiB: disk };
  const id = await cloud.adopt(name, { host, state, ...size, local, mixed, serverGroup: group });
  ids.set(name, id);
  await transact(cloud.inventory, (trx) =>
    trx
      .updateTable('instances')
      .set({
        ha_policy: ha,
        restart_policy: restart,
        move_policy: policy === undefined ? null : JSON.stringify(policy),
      })
      .where('id', '=', id)
      .execute(),
  );
  if (locked !== undefined) await setLock(cloud.inventory, id, { reason: locked, by: 'bob' });
  await cloud.datacenter.transact((tx) => {
    if (dirty !== undefined) tx.run('update guests set dirty = ? where id = ?', dirty * 1024 ** 2, id);
    if (deaf) tx.run('update guests set obeys = 0 where id = ?', id);
  });
}

/** A guest that somebody made beside drover, and that runs. */
async function addStranger(
  { cloud }: Stage,
  { name, host, vcpus, memory, disk, local }: Scenario['instances'][number],
): Promise<void> {
  const id = cloud.random.uuid();
  const on = refOf(host);
  const path = join(local ? localDirectory : sharedDirectory, `stranger-${name}.qcow2`);
  const hypervisor = createSimulatedHypervisor(cloud.datacenter);
  const bytes = disk * 1024 ** 3;
  await cloud.datacenter.transact((tx) => {
    if (fileOn(tx, host, path) === undefined)
      putFile(tx, host, { path, format: 'qcow2', bytes, allocated: bytes / 4, refers_to: null });
  });
  const disks = [{ target: 'vda', path, format: 'qcow2' as const, readonly: false }];
  const nobody = { instance: '', operation: '', epoch: 0 };
  await hypervisor.define(on, { id, name, vcpus, memoryMiB: memory, disks, bridges: [] }, nobody);
  await hypervisor.start(on, id);
  cloud.log.name(id, `the other ${name}`);
}
