/** Random cases: small worlds, much at the same time. The same seed gives the same case. */
import { callNames } from '../../activities/simulator/call-names.js';
import type { Fault } from '../../activities/simulator/faults.js';
import { imageDirectory, localDirectory, sharedDirectory } from '../../activities/simulator/hosts.js';
import { seeded, type Random } from '../../virtual/random.js';
import { flavorNames, type Action, type Case } from './case.js';

export function randomCase(seed: number): Case {
  const random = seeded(seed);
  const hosts = Array.from({ length: 2 + random.below(4) }, (_, index) => ({
    name: `host-${index + 1}`,
    rack: `rack-${1 + random.below(2)}`,
    slots: 1 + random.below(3),
    zone: null,
    small: false,
  }));
  const instances = Array.from({ length: 1 + random.below(8) }, (_, index) => ({
    name: `vm-${index + 1}`,
    host: random.pick(hosts).name,
    state: random.pick(['active', 'active', 'active', 'paused', 'stopped'] as const),
    local: random.below(3) === 0,
    dirty: random.pick([0, 0, 0, 40, 2000]),
    vcpus: 1 + random.below(4),
    'memory-mib': 512 * (1 + random.below(16)),
  }));
  const world = new Chooser(random, hosts, instances);
  const count = 3 + random.below(40);
  const seconds = count * random.pick([1, 3, 10]);
  const times = Array.from({ length: count }, () => tenths(random, seconds)).toSorted(
    (one, other) => one - other,
  );
  const actions = times.map((at, index) => world.action(index, at));
  const heal = Math.ceil(seconds + random.pick([10, 60, 900, 4000]));
  return {
    seed,
    hosts,
    instances,
    actions: actions.flat().toSorted((one, other) => one.at - other.at),
    heal,
  };
}

const tenths = (random: Random, seconds: number): number => random.below(seconds * 10) / 10;

class Chooser {
  private readonly asked: string[] = [];
  private readonly names: string[];
  private readonly first: readonly string[];

  constructor(
    private readonly random: Random,
    private readonly hosts: Case['hosts'],
    instances: Case['instances'],
  ) {
    this.first = instances.map(({ name }) => name);
    this.names = [...this.first];
  }

  action(index: number, at: number): Action[] {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 45) return [this.operation(`op-${index}`, at)];
    if (kind < 55) return [this.runbook(`run-${index}`, at)];
    if (kind < 70) return [this.trouble(at)];
    if (kind < 73) return [this.ask(at)];
    if (kind < 80) return this.worker(at);
    return this.fault(at);
  }

  /** Of a guest that is there from the beginning: one that was terminated meanwhile is refused. */
  private adopted(): string {
    return this.random.pick(this.first);
  }

  private host(): string {
    return this.random.pick(this.hosts).name;
  }

  private operation(id: string, at: number): Action {
    const { random } = this;
    this.asked.push(id);
    const asks = (uses: string, input: Record<string, unknown>): Action => ({
      at,
      do: 'operation',
      id,
      uses,
      with: input,
    });
    const kind = random.below(30);
    if (kind === 0) return this.launch(id, asks);
    const instance = random.pick(this.names);
    if (kind < 8) return asks('instance.live-migrate', { instance, ...this.way() });
    if (kind > 14 && kind < 25) return this.change(instance, asks);
    if (kind === 8) return asks('instance.terminate', { instance });
    if (kind === 9) return asks('instance.reboot', { instance, hard: random.below(2) === 0, grace: '5s' });
    if (kind === 10) return asks('instance.repair', { instance });
    if (kind === 11) return asks('host.disable', { host: this.host(), reason: 'soak' });
    if (kind === 12) return asks('host.enable', { host: this.host() });
    if (kind === 13) return asks('host.reboot', { host: this.host(), timeout: random.pick(['20s', '5m']) });
    if (kind === 14) return asks('instance.stop', { instance, grace: random.pick(['1s', '20s']) });
    const uses = random.pick(['stop', 'start', 'start', 'pause', 'unpause']);
    return asks(`instance.${uses}`, { instance });
  }

  private way(): Record<string, unknown> {
    const { random } = this;
    return {
      ...(random.below(3) === 0 ? { host: this.host() } : {}),
      ...(random.below(2) === 0 ? { wait: random.pick(['5s', '60s']) } : {}),
      ...(random.below(5) === 0 ? { timeout: random.pick(['2s', '10s']) } : {}),
      ...(random.below(5) === 0 ? { no_progress: '2s', fallback: random.pick(['none', 'cold']) } : {}),
    };
  }

  /** What holds a place or memory until another operation, what people say of it, and what gives it back. */
  private change(instance: string, asks: (uses: string, input: Record<string, unknown>) => Action): Action {
    const { random } = this;
    const move = () => {
      const host = random.below(3) === 0 ? { host: this.host() } : {};
      const confirm_after = random.pick(['0s', '20s', 'never']);
      return { instance, ...host, confirm_after, grace: '5s' };
    };
    const policy = (): Record<string, unknown> => ({
      allow: random.pick([[], ['auto-converge'], ['post-copy'], ['auto-converge,pause=2s'], ['cold']]),
      restart: random.pick(['never', 'on-crash', 'always']),
    });
    const [uses, input] = random.pick<[string, Record<string, unknown>]>([
      ['migrate', move()],
      ['migrate', move()],
      ['resize', { ...move(), flavor: random.pick(flavorNames) }],
      ['resize', { ...move(), flavor: random.pick(flavorNames) }],
      ['confirm-resize', { instance }],
      ['revert-resize', { instance, grace: '5s', disk: random.pick(['keep', 'old']) }],
      ['suspend', { instance }],
      ['suspend', { instance }],
      ['resume', { instance, discard_memory: random.below(3) === 0 }],
      ['resume', { instance }],
      ['lock', { instance, reason: 'soak' }],
      ['unlock', { instance }],
      ['unlock', { instance }],
      ['set-policy', { instance, ...policy() }],
      ['set-policy', { instance, ...policy() }],
    ]);
    return asks(`instance.${uses}`, input);
  }

  /** A person ends a migration that may run. */
  private ask(at: number): Action {
    const { random } = this;
    const of = random.pick([...this.asked.slice(-4), ...this.names]);
    const way = random.pick([null, 'downtime', 'post-copy', 'pause'] as const);
    return { at, do: random.pick(['abort', 'force-complete']), of, way };
  }

  private launch(id: string, asks: (uses: string, input: Record<string, unknown>) => Action): Action {
    const { random } = this;
    this.names.push(id);
    return asks('instance.launch', {
      instance: id,
      name: id,
      vcpus: 1 + random.below(2),
      memory_mib: 1024,
      image: `${imageDirectory}/debian-12.qcow2`,
      directory: random.pick([localDirectory, sharedDirectory]),
    });
  }

  private runbook(id: string, at: number): Action {
    const { random } = this;
    this.asked.push(id);
    const host = this.host();
    const short = {
      wait: '60s',
      timeout: '5m',
      max_failures: random.below(3),
      parallel: 1 + random.below(3),
    };
    const { max_failures: _, ...reboot } = short;
    const [name, input] = random.pick<[string, Record<string, unknown>]>([
      ['drain-host', { host, ...short }],
      ['undrain', { host, ...short }],
      ['reboot-host', { host, ...reboot, reboot_timeout: '2m' }],
      ['rolling-reboot', { hosts_at_a_time: 1 + random.below(2), ...short, reboot_timeout: '2m' }],
      ['soak-cycle', { host }],
      ['soak-mixed', { host, other: this.host() }],
    ]);
    return { at, do: 'runbook', id, name, with: input };
  }

  private trouble(at: number): Action {
    const { random } = this;
    const of = random.pick([...this.asked.slice(-8), ...this.names, ...this.hosts.map(({ name }) => name)]);
    const kinds = [
      'again',
      'cancel',
      'cancel',
      'terminate',
      'terminate',
      'reset',
      'pause',
      'resume',
      'keep',
    ] as const;
    return { at, do: random.pick(kinds), of };
  }

  private worker(at: number): Action[] {
    const { random } = this;
    const which = random.pick(['control', 'hosts'] as const);
    const what = random.pick(['crash', 'crash', 'redeploy', 'stop'] as const);
    const fell: Action = { at, do: 'worker', which, what };
    if (what !== 'stop') return [fell];
    return [fell, { at: at + random.pick([2, 15, 40]), do: 'worker', which, what: 'start' }];
  }

  private fault(at: number): Action[] {
    const { random } = this;
    const host = this.host();
    const hosts = [host];
    const call = random.pick(callNames);
    const where = random.below(2) === 0 ? { host } : {};
    const nth = 1 + random.below(3);
    const times = 1 + random.below(4);
    const fault = random.pick<Fault>([
      { do: 'crash', hosts },
      { do: 'hang', hosts },
      { do: 'libvirtd-kill', hosts },
      { do: 'partition', hosts },
      { do: 'partition', hosts, from: [this.host()] },
      { do: 'slow', hosts, 'call-ms': random.pick([200, 3000]), bandwidth: random.pick([20, 200]) },
      { do: 'break-stream', hosts },
      { do: 'rack-loss', rack: random.pick(this.hosts).rack },
      { do: random.pick(['guest-crash', 'guest-shutdown', 'guest-destroy']), guests: [this.adopted()] },
      { do: 'guest-disk-write', guests: [this.adopted()] },
      { do: 'fail', call, ...where, nth, times, message: 'internal error: injected by the simulation' },
      { do: 'fail', call, ...where, nth, times, message: 'internal error: injected by the simulation' },
      { do: 'lose-answer', call, ...where, nth, times },
      { do: 'lose-answer', call, ...where, nth, times },
    ]);
    const came: Action = { at, do: 'fault', fault };
    if (random.below(3) === 0) return [came];
    const later = at + random.pick([1, 3, 8, 30]);
    return [came, { at: later, do: 'fault', fault: { do: 'restore', hosts } }];
  }
}
