import type { GuestView, Hypervisor, JobView, Move } from '../../../activities/hypervisor/port.js';
import { systemClock } from '../../../activities/clock.js';
import type { HypervisorDeps, MigrationEnd } from '../../../activities/hypervisor/deps.js';
import type { Call, MigrateInput } from '../../../activities/types.js';
import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import type { LadderStep, MigrationRecord } from '../../../model/operation.js';

export const id = '0a0a0a0a-0000-4000-8000-000000000001';
export const source: HostRef = { name: 'host1', uri: 'fake://1' };
export const target: HostRef = { name: 'host2', uri: 'fake://2' };

export const guest = (changes: Partial<GuestView> = {}): GuestView => ({
  id,
  name: 'web-1',
  power: 'running',
  reason: 'booted',
  postCopy: null,
  persistent: true,
  vcpus: 1,
  memoryMiB: 96,
  disks: [{ target: 'vda', path: '/srv/shared/web-1.qcow2', format: 'qcow2', readonly: false }],
  serialLog: null,
  managedSave: false,
  autostart: false,
  cpuMode: 'host-model',
  networks: [],
  snapshots: 0,
  checkpoints: 0,
  stamp: null,
  definition: '<domain/>',
  ...changes,
});

export const jobView = (changes: Partial<JobView> = {}): JobView => ({
  operation: 'outgoing migration',
  migrates: true,
  elapsedMs: 10,
  totalBytes: 100,
  processedBytes: 25,
  remainingBytes: 75,
  memoryBytesPerSecond: null,
  iteration: 1,
  dirtyBytesPerSecond: null,
  throttlePercent: null,
  expectedDowntimeMs: null,
  postCopy: false,
  ...changes,
});

/**
 * Two hosts and one job, with nothing of its own will: each test scripts what happens at the n-th question
 * about the job. `calls` lists every change that was asked for.
 */
export class FakePort {
  readonly guests = new Map<string, Map<string, GuestView>>([
    [source.name, new Map()],
    [target.name, new Map()],
  ]);
  readonly calls: string[] = [];
  readonly silent = new Set<string>();
  running: JobView | null = null;
  /** Called at each question about the source's job, with its number from 1. */
  onJob: (asked: number) => void = () => undefined;
  onLook: () => void = () => undefined;
  onStart: () => void = () => undefined;
  onAbort: () => void = () => {
    this.running = null;
  };
  onSteer: (what: string) => void = () => undefined;
  endClient: (message: string | null) => void = () => undefined;
  private asked = 0;

  put(host: HostRef, view: GuestView | null): void {
    if (view === null) this.of(host).delete(id);
    else this.of(host).set(view.id, view);
  }

  at(host: HostRef): GuestView | null {
    return this.of(host).get(id) ?? null;
  }

  /** The guest switches over: the job is done, the source has forgotten it. */
  arrive(): void {
    const view = this.at(source) ?? guest();
    this.put(source, null);
    this.put(target, { ...view, reason: 'migrated' });
    this.running = null;
  }

  private steer(host: HostRef, what: string): void {
    this.of(host);
    this.calls.push(`${what} ${host.name}`);
    this.onSteer(what);
  }

  private of(host: HostRef): Map<string, GuestView> {
    if (this.silent.has(host.name))
      throw new DroverError('HypervisorUnreachable', `${host.name} does not answer`);
    const known = this.guests.get(host.name);
    if (known === undefined) throw new Error(`no host ${host.name}`);
    return known;
  }

  port(): Hypervisor {
    const change = (host: HostRef, what: string, work: (view: GuestView) => void): Promise<void> => {
      const view = this.of(host).get(id);
      this.calls.push(`${what} ${host.name}`);
      if (view !== undefined) work(view);
      return Promise.resolve();
    };
    const set = (host: HostRef, changes: Partial<GuestView>) => (view: GuestView) =>
      this.put(host, { ...view, ...changes });
    const lookAt = (host: HostRef, guestId: string): GuestView | null => {
      this.onLook();
      return this.of(host).get(guestId) ?? null;
    };
    return {
      capabilities: new Set(['liveMigration', 'blockMigration'] as const),
      facts: async (host) => {
        this.of(host);
        return {
          hostname: host.name,
          systemUuid: id,
          vcpus: 2,
          memoryMiB: 1024,
          hypervisor: 'fake',
          cpu: null,
          networks: null,
        };
      },
      list: async (host) => [...this.of(host).values()],
      names: async (host) => [...this.of(host).values()],
      powers: async (host) => [...this.of(host).values()],
      watch: async () => undefined,
      look: async (host, guestId) => lookAt(host, guestId),
      define: (host) => change(host, 'define', () => undefined),
      defineFrom: (host, guestId, definition, stamp) => {
        this.calls.push(`defineFrom ${host.name}`);
        this.of(host).set(guestId, guest({ id: guestId, power: 'shutoff', definition, stamp }));
        return Promise.resolve();
      },
      stamp: (host, _guest, stamp) => change(host, 'stamp', set(host, { stamp })),
      start: (host) => change(host, 'start', set(host, { power: 'running' })),
      save: async (host) => {
        await change(host, 'save', set(host, { power: 'shutoff', managedSave: true }));
        return { ended: Promise.resolve(null) };
      },
      restore: async (host) => {
        await change(
          host,
          'restore',
          set(host, { power: 'running', reason: 'restored', managedSave: false }),
        );
        return { ended: Promise.resolve(null) };
      },
      requestShutdown: (host) => change(host, 'shutdown', () => undefined),
      requestReboot: (host) => change(host, 'reboot', () => undefined),
      destroy: (host) =>
        change(host, 'destroy', (view) =>
          this.put(host, view.persistent ? { ...view, power: 'shutoff' } : null),
        ),
      pause: (host) => change(host, 'pause', set(host, { power: 'paused' })),
      unpause: (host) => change(host, 'unpause', set(host, { power: 'running' })),
      undefine: (host) => change(host, 'undefine', () => this.put(host, null)),
      disableAutostart: (host) => change(host, 'disableAutostart', set(host, { autostart: false })),
      copyDefinition: async (from, to) => {
        this.calls.push(`copyDefinition ${from.name} ${to.name}`);
        const view = this.of(from).get(id);
        if (view !== undefined) this.put(to, { ...view });
      },
      resizeDefinition: (host, _id, { vcpus, memoryMiB }) =>
        change(host, `resize to ${vcpus}/${memoryMiB}`, set(host, { vcpus, memoryMiB })),
      startMigration: async (move: Move) => {
        this.calls.push(`migrate ${move.source.name} ${move.target.name}`);
        const ended = new Promise<string | null>((resolve) => {
          this.endClient = resolve;
        });
        this.onStart();
        return { ended };
      },
      job: async (host) => {
        this.asked += 1;
        this.onJob(this.asked);
        this.of(host);
        return this.running;
      },
      abortJob: async (host) => {
        this.of(host);
        this.calls.push(`abort ${host.name}`);
        this.onAbort();
      },
      setMaxDowntime: async (host, _id, ms) => this.steer(host, `downtime ${ms}`),
      setBandwidth: async (host, _id, cap) => this.steer(host, `bandwidth ${cap}`),
      startPostCopy: async (host) => this.steer(host, 'post-copy'),
      resumePostCopy: async (move) => this.steer(move.source, 'resume-post-copy'),
      completedMigration: async () => ({ totalMs: 1500, downtimeMs: 12, transferredBytes: 1000 }),
      consoleCommand: () => ({ file: 'true', args: [] }),
    };
  }
}

export interface Recorded {
  deps: HypervisorDeps;
  started: string[];
  ended: [string, MigrationEnd][];
  ladder: LadderStep[];
}

export function recording(fake: FakePort): Recorded {
  const started: string[] = [];
  const ended: [string, MigrationEnd][] = [];
  const ladder: LadderStep[] = [];
  const deps: HypervisorDeps = {
    hypervisor: fake.port(),
    pace: { pollMs: 2, patienceMs: 60, settleMs: 25 },
    clock: systemClock,
    inventory: {
      hosts: async () => [source, target],
      recordProbe: async () => undefined,
      recordGuest: async () => undefined,
      expectedPowers: async () => [],
      recordPowers: async () => undefined,
      migrationStarted: async (migration) => void started.push(migration.id),
      migrationEnded: async (migration, end) => void ended.push([migration, end]),
      ladderStep: async (_id, step) => void ladder.push({ at: new Date().toISOString(), ...step }),
      migrations: async () => [migrationRecord({ ladder })],
    },
  };
  return { deps, started, ended, ladder };
}

export const migrationRecord = (changes: Partial<MigrationRecord> = {}): MigrationRecord => ({
  id: 'mig-1',
  operation: 'op-1',
  instance: id,
  source: source.name,
  target: target.name,
  storage: 'shared',
  state: 'running',
  downtimeMs: null,
  totalMs: null,
  transferredBytes: null,
  kind: 'live',
  ladder: [],
  copied: [],
  reason: null,
  startedAt: '2026-01-01T00:00:00Z',
  endedAt: null,
  ...changes,
});

export interface TestCall extends Call {
  beats: Record<string, unknown>[];
  /** Cancelled by somebody, or only told to stop. */
  abort(requested: boolean): void;
}

export function newCall(epoch = 5): TestCall {
  const controller = new AbortController();
  const beats: Record<string, unknown>[] = [];
  let requested = false;
  return {
    owner: { instance: id, operation: 'op-1', epoch },
    host: null,
    signal: controller.signal,
    cancelRequested: () => requested,
    heartbeat: (details) => void beats.push(details),
    beats,
    abort(asked) {
      requested = asked;
      controller.abort();
    },
  };
}

export const moveInput = (changes: Partial<MigrateInput> = {}): MigrateInput => ({
  migration: 'mig-1',
  instance: id,
  name: 'web-1',
  source,
  target,
  copy: [],
  disks: [],
  bandwidthMiBs: null,
  timeoutSeconds: 60,
  cleanup: [{ activity: 'removeDisk', input: { path: '/x' }, onHost: 'host1', says: 'the old disk' }],
  ...changes,
});
