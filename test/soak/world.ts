/** The cloud of a case as it stands in virtual time, and who is meant by the names in the case. */
import { fileURLToPath } from 'node:url';
import { instanceWorkflowId, hostWorkflowId } from '../../model/addresses.js';
import { createFlavor } from '../../activities/inventory/flavors.js';
import { setSelfFence } from '../../activities/simulator/self-fence.js';
import { uuidOf } from '../../activities/simulator/hosts.js';
import { runbookCatalogue } from '../../client/catalogue.js';
import type { FrozenRunbook } from '../../model/runbook.js';
import { loadRunbook } from '../../runbooks/language/load.js';
import { VirtualCloud } from '../../virtual/cloud.js';
import type { Ending } from '../../virtual/ending.js';
import type { VirtualRun } from '../../virtual/run.js';
import type { World as ProofWorld } from '../proof/case.js';
import { flavors, type Case } from './case.js';
import { watchFences, type Fences } from './fences.js';

/** An operation or a run that was accepted: somebody waits for its end. */
export interface Accepted {
  id: string;
  key: string;
  /** Of an operation. */
  instance: string | null;
  /** Its newest run. */
  run: VirtualRun;
  ending: Ending | null;
}

export class World {
  readonly accepted = new Map<string, Accepted>();
  /** Ids of all instances that there ever were. */
  readonly instances = new Map<string, string>();
  /** What was cut off and started elsewhere, and what was known then. */
  fences: Fences | null = null;
  /** What nobody should have thrown. */
  readonly bugs: string[] = [];

  private constructor(
    readonly cloud: VirtualCloud,
    readonly one: Case,
    private readonly hosts: ReadonlySet<string>,
  ) {}

  static async open(one: Case, log: boolean): Promise<World> {
    const cloud = await VirtualCloud.open({ seed: one.seed, hosts: [], log });
    const world = new World(cloud, one, new Set(one.hosts.map(({ name }) => name)));
    // Read before time begins: a file is read in real time, which differs from play to play.
    for (const action of one.actions) if (action.do === 'runbook') await planOf(action.name);
    if (one.rules !== undefined) Object.assign(cloud.recovery, one.rules, { retryForSeconds: 1800 });
    for (const { name, rack, slots, zone, small, watchdog } of one.hosts) {
      const size = small ? { vcpus: 8, memoryMiB: 16_384 } : { vcpus: 32, memoryMiB: 131_072 };
      await cloud.addHost(name, rack, slots, { ...size, zone });
      if (watchdog !== undefined)
        await cloud.datacenter.transact((tx) =>
          setSelfFence(tx, name, { kind: 'watchdog', seconds: watchdog }),
        );
    }
    for (const [name, flavor] of Object.entries(flavors))
      await createFlavor(cloud.inventory, { id: uuidOf(`soak/flavor/${name}`), name, ...flavor });
    for (const { name, host, state, local, ha, dirty, vcpus, 'memory-mib': memoryMiB } of one.instances) {
      const id = await cloud.adopt(name, { host, state, local, vcpus, memoryMiB });
      world.instances.set(name, id);
      if (ha !== undefined)
        await cloud.inventory.kysely
          .updateTable('instances')
          .set({ ha_policy: ha })
          .where('id', '=', id)
          .execute();
      await cloud.datacenter.transact((tx) =>
        tx.run('update guests set dirty = ? where id = ?', dirty * 1024 ** 2, id),
      );
    }
    await watchForTwins(cloud);
    world.fences = await watchFences(cloud);
    return world;
  }

  close(): Promise<void> {
    return this.cloud.close();
  }

  /** As the invariants take it. */
  get judged(): ProofWorld {
    const { name: cloud, datacenter, inventory, random } = this.cloud;
    return { cloud, datacenter, inventory, uuid: () => random.uuid() };
  }

  /** The id of an instance by its name; a launched one is made known by the action that launches it. */
  instance(name: string): string {
    const known = this.instances.get(name);
    if (known !== undefined) return known;
    const id = uuidOf(`soak/${name}`);
    this.instances.set(name, id);
    this.cloud.log.name(id, name);
    return id;
  }

  /** The workflow that is meant by an action's id, or by the name of what it works on. */
  workflowOf(about: string): VirtualRun | undefined {
    const accepted = this.accepted.get(about);
    if (accepted) return accepted.run;
    const { temporal, name } = this.cloud;
    const id = this.hosts.has(about)
      ? hostWorkflowId(name, about)
      : instanceWorkflowId(name, this.instances.get(about) ?? '');
    return temporal.newest(id);
  }

  accept(action: string, about: Omit<Accepted, 'ending'>): void {
    const accepted: Accepted = { ...about, ending: null };
    this.accepted.set(action, accepted);
    const hear = async () => {
      accepted.ending = await about.run.ended;
    };
    void hear();
  }
}

const plans = new Map<string, Promise<FrozenRunbook>>();

export function planOf(name: string): Promise<FrozenRunbook> {
  const known = plans.get(name);
  if (known) return known;
  const folder = fileURLToPath(new URL('./runbooks', import.meta.url));
  const loaded = loadRunbook(name, [folder], runbookCatalogue());
  plans.set(name, loaded);
  return loaded;
}

/** Asked by the database itself whenever a guest changes: no moment is missed. */
export async function watchForTwins({ datacenter }: Pick<VirtualCloud, 'datacenter'>): Promise<void> {
  await datacenter.transact((tx) => {
    tx.run('create table twins (id text not null, hosts text not null)');
    for (const change of ['insert on guests', 'update of power on guests']) {
      tx.run(
        `create trigger twins_${change.slice(0, 6)} after ${change} when new.power in ('running', 'paused')
         begin
           insert into twins select new.id, new.host || ' and ' || host from guests
             where id = new.id and host <> new.host and power in ('running', 'paused');
         end`,
      );
    }
  });
}
