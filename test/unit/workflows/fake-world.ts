/**
 * Hypervisors and disks as a few maps: enough to be wrong in the ways that real ones are. A migration is a job
 * of the world, not of the activity that started it: it goes on when nobody follows it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HypervisorInventory } from '../../../activities/hypervisor/deps.js';
import type {
  Call,
  Guest,
  HypervisorActivities,
  Implement,
  MigrateInput,
  Sighting,
  UndoAnswer,
} from '../../../activities/types.js';
import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import type { Disk, PowerState } from '../../../model/instance.js';

export interface FakeGuest {
  name: string;
  power: PowerState;
  disks: Disk[];
  epoch: number;
}

export interface FakeHost {
  answers: boolean;
  guests: Map<string, FakeGuest>;
}

/** A disk's file: on one host, or where all hosts see it (`host` null). */
export interface FakeDisk {
  host: string | null;
  path: string;
  instance: string;
}

const none = { downtimeMs: null, totalMs: null, transferredBytes: null };

export class FakeWorld {
  readonly hosts = new Map<string, FakeHost>();
  disks: FakeDisk[] = [];
  readonly probes: { host: string | null; file: string }[] = [];
  readonly jobs = new Map<string, MigrateInput>();
  /** Paths below it are seen by every host. */
  shared = '/shared/';
  /** True: a migration runs until `arrive`, an abort, or an undo that has patience. */
  hold = false;
  /** How often each guest was started or rebooted: a repeated request must not count twice. */
  readonly boots = new Map<string, number>();
  /** Which boot of each host runs now; the first is 1. */
  readonly hostBoots = new Map<string, number>();
  /** The newest epoch that each host's worker has seen of an instance. */
  readonly fences = new Map<string, number>();

  constructor(names: string[]) {
    for (const name of names) this.hosts.set(name, { answers: true, guests: new Map() });
  }

  host(name: string): FakeHost {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }

  /** Where the guest runs or is frozen: more than one is the disaster. */
  alive(instance: string): string[] {
    return [...this.hosts]
      .filter(([, { guests }]) => ['running', 'paused'].includes(guests.get(instance)?.power ?? ''))
      .map(([name]) => name);
  }

  known(instance: string): string[] {
    return [...this.hosts].filter(([, { guests }]) => guests.has(instance)).map(([name]) => name);
  }

  /** The switch-over: from here the guest runs on the target, whoever follows it. */
  arrive(instance: string): void {
    const job = this.jobs.get(instance);
    if (!job) return;
    const from = this.host(job.source.name).guests;
    const guest = from.get(instance);
    if (guest) this.host(job.target.name).guests.set(instance, guest);
    from.delete(instance);
    this.jobs.delete(instance);
  }

  store(host: string, path: string): string | null {
    return path.startsWith(this.shared) ? null : host;
  }

  private reach(ref: HostRef): FakeHost {
    const host = this.host(ref.name);
    if (!host.answers) throw new DroverError('HypervisorUnreachable', `${ref.name} does not answer`);
    return host;
  }

  /** The guest, stamped by the caller; a late step of an older operation is refused. */
  private take(ref: HostRef, { instance, name }: Guest, call: Call): FakeGuest {
    const guest = this.reach(ref).guests.get(instance);
    if (!guest) throw new DroverError('NotFound', `${ref.name} has no guest ${name}`);
    const epoch = call.owner?.epoch ?? -1;
    if (epoch < guest.epoch) throw new DroverError('StaleOwner', `${name} has a newer owner`);
    guest.epoch = epoch;
    return guest;
  }

  private boot(guest: FakeGuest, instance: string): void {
    guest.power = 'running';
    this.boots.set(instance, (this.boots.get(instance) ?? 0) + 1);
  }

  hypervisor(inventory: HypervisorInventory): Implement<HypervisorActivities> {
    return {
      look: async ({ instance, hosts }) => ({ sightings: hosts.map((ref) => this.sight(ref, instance)) }),
      defineGuest: async ({ host, spec }, call) => {
        const { guests } = this.reach(host);
        if (guests.has(spec.id)) return;
        guests.set(spec.id, {
          name: spec.name,
          power: 'shutoff',
          disks: spec.disks,
          epoch: call.owner?.epoch ?? 0,
        });
      },
      startGuest: async (input, call) => {
        const guest = this.take(input.host, input, call);
        if (guest.power !== 'running') this.boot(guest, input.instance);
        return { power: guest.power };
      },
      stopGuest: async (input, call) => {
        this.take(input.host, input, call).power = 'shutoff';
        return { forced: false };
      },
      rebootGuest: async (input, call) => {
        this.boot(this.take(input.host, input, call), input.instance);
        return { forced: !input.soft };
      },
      pauseGuest: async (input, call) => {
        this.take(input.host, input, call).power = 'paused';
      },
      unpauseGuest: async (input, call) => {
        this.take(input.host, input, call).power = 'running';
      },
      removeGuest: async (input, call) => {
        const { guests } = this.reach(input.host);
        if (!guests.has(input.instance)) return { undone: true };
        this.take(input.host, input, call);
        if (this.jobs.has(input.instance)) throw new DroverError('HypervisorError', `${input.name} migrates`);
        guests.delete(input.instance);
        return { undone: true };
      },
      migrateGuest: (input, call) => this.migrate(inventory, input, call),
      undoMigrate: (input, call) => this.undoMigrate(inventory, input, call),
      probeHosts: async () => {
        const up: string[] = [];
        const unknown: { host: string; reason: string }[] = [];
        for (const [host, { answers }] of this.hosts) {
          if (answers) {
            const facts = {
              hostname: host,
              systemUuid: host,
              vcpus: 16,
              memoryMiB: 32_768,
              hypervisor: 'fake',
            };
            await inventory.recordProbe(host, { up: true, facts });
            up.push(host);
          } else {
            await inventory.recordProbe(host, { up: false, reason: 'silent' });
            unknown.push({ host, reason: 'silent' });
          }
        }
        return { up, unknown };
      },
    };
  }

  private sight({ name }: HostRef, instance: string): Sighting {
    const { answers, guests } = this.host(name);
    const nothing = { host: name, persistent: false, disks: [], job: null, error: null };
    if (!answers) return { ...nothing, power: 'unknown', error: 'silent' };
    const guest = guests.get(instance);
    if (!guest) return { ...nothing, power: 'absent' };
    return { ...nothing, power: guest.power, persistent: true, disks: guest.disks };
  }

  private async migrate(inventory: HypervisorInventory, input: MigrateInput, call: Call) {
    const { instance, source, target, migration: id } = input;
    const arrived = () => this.host(target.name).guests.has(instance) && !this.jobs.has(instance);
    this.reach(source);
    this.reach(target);
    if (!arrived()) {
      this.take(source, { instance, name: input.name, host: source }, call);
      const storage = input.copy.length > 0 ? ('block' as const) : ('shared' as const);
      const operation = call.owner?.operation ?? '';
      await inventory.migrationStarted({
        id,
        operation,
        instance,
        source: source.name,
        target: target.name,
        storage,
      });
      this.jobs.set(instance, input);
    }
    while (this.hold && this.jobs.has(instance) && !call.signal.aborted) {
      call.heartbeat({ phase: 'copying' });
      await delay(5);
    }
    if (call.signal.aborted && !arrived()) {
      if (!call.cancelRequested())
        throw new DroverError('Internal', 'stopped following; the next attempt goes on');
      this.jobs.delete(instance);
      await inventory.migrationEnded(id, { ...none, state: 'cancelled', reason: 'cancelled' });
      throw new DroverError('Cancelled', `the migration of ${input.name} was cancelled`);
    }
    this.arrive(instance);
    if (!arrived()) throw new DroverError('MigrationFailed', `${input.name} stayed on ${source.name}`);
    const answer = { downtimeMs: 42, totalMs: 1000, transferredBytes: 4096 };
    await inventory.migrationEnded(id, { ...answer, state: 'completed', reason: null });
    return answer;
  }

  private async undoMigrate(
    inventory: HypervisorInventory,
    input: MigrateInput,
    call: Call,
  ): Promise<UndoAnswer> {
    const { instance, source, target, migration: id } = input;
    this.reach(source);
    const to = this.reach(target);
    // With patience a running job is let go on to its end; without it is aborted.
    if (this.jobs.has(instance) && (input.patienceSeconds ?? 0) > 0) this.arrive(instance);
    this.jobs.delete(instance);
    const there = to.guests.get(instance);
    if (there) {
      await inventory.migrationEnded(id, { ...none, state: 'completed', reason: 'found on the target' });
      return {
        undone: false,
        patch: { host: target.name, powerState: there.power },
        cleanup: input.cleanup,
      };
    }
    this.take(source, { instance, name: input.name, host: source }, call);
    await inventory.migrationEnded(id, { ...none, state: 'cancelled', reason: 'undone' });
    return { undone: true };
  }
}
