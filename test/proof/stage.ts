/** A cloud in virtual time on which one case after the other is tried, each in a place of its own. */
import { VirtualCloud } from '../../virtual/cloud.js';
import type { Ending } from '../../virtual/ending.js';
import type { Handle } from '../../virtual/handle.js';
import { recoveryPlace } from '../../virtual/places.js';
import type { Skills } from '../../virtual/process.js';
import type { Knobs } from '../../virtual/trouble.js';
import type { HostRef } from '../../model/host.js';
import type { Case, Place, Trial, World } from './case.js';
import { addRoomyHost } from './place.js';
import type { Heard } from './told.js';
import { Watch, watched, type Change } from './watch.js';

interface Watching {
  watch: Watch | null;
}

/** The place of the one worker that serves all simulated hosts. */
const hosts = 'any@sim';

/** A trial in virtual time. */
export interface VirtualTrial extends Trial {
  stage: Stage;
}

export class Stage {
  private tries = 0;
  private constructor(
    readonly cloud: VirtualCloud,
    readonly world: World,
    private readonly shared: readonly [HostRef, HostRef, HostRef],
    private readonly watching: Watching,
  ) {}

  static async open(): Promise<Stage> {
    const cloud = await VirtualCloud.open({ hosts: 0, log: false });
    const { datacenter, inventory, random, temporal } = cloud;
    // Each case is an outage of its own: no storm.
    const budget = { zone: 10_000, fleet: 10_000, windowSeconds: 60 };
    Object.assign(cloud.recovery, { settleSeconds: 0, budget });
    const watching: Watching = { watch: null };
    watched(datacenter, () => watching.watch);
    for (const place of [null, recoveryPlace, hosts]) temporal.startWorker(place);
    const world = { cloud: cloud.name, datacenter, inventory, uuid: () => random.uuid() };
    const add = (name: string) => addRoomyHost(world, name);
    return new Stage(cloud, world, [await add('h1'), await add('h2'), await add('h3')], watching);
  }

  close(): Promise<void> {
    return this.cloud.close();
  }

  async setUp(operation: string, one: Case): Promise<VirtualTrial> {
    const place = await this.place(operation);
    const janitor = async () => void (await this.cloud.janitor().ending);
    const given = await one.setUp(place);
    return { stage: this, operation, one, place, given, id: this.world.uuid(), janitor };
  }

  /** The third host is the place's own where operations work on hosts. */
  async place(operation: string): Promise<Place> {
    this.tries += 1;
    const [first, second, third] = this.shared;
    const own = /^host\.|\.evacuate$/.test(operation)
      ? await addRoomyHost(this.world, `own-${this.tries}`)
      : third;
    return { ...this.world, name: `it-${this.tries}`, hosts: [first, second, own] };
  }

  /** Asks for the operation of a case, as a client does. */
  ask({ operation, given, id }: VirtualTrial, knobs: Knobs = {}): Handle {
    return this.cloud.operation(operation, given.input, { id, ...knobs });
  }

  /** From now on what calls change of the instance is noted. */
  watch(id: string, name: string): void {
    this.watching.watch = new Watch(id, name);
  }

  /** What was noted. */
  unwatch(): readonly Change[] {
    const { watch } = this.watching;
    this.watching.watch = null;
    return watch?.changes ?? [];
  }

  /** Changes what the control worker, or that of the hosts, does from now on: for mutants. */
  alter(which: 'control' | 'hosts', change: (skills: Skills) => Skills): void {
    this.cloud.temporal.alter(which === 'control' ? null : hosts, change);
  }
}

/** As whoever asked heard of it; one that was terminated is not heard of. */
export function heard(ending: Ending): Heard {
  if (ending.end === 'terminated') return 'nothing';
  return ending.end === 'done' ? 'done' : ending.error.code;
}
