/** Random outages: hosts that die or seem to, what else goes wrong meanwhile, and people who answer late, or no. */
import type { Fault } from '../../activities/simulator/faults.js';
import { haPolicies, recoveryModes } from '../../model/incident.js';
import { seeded, type Random } from '../../virtual/random.js';
import type { Action, Case } from './case.js';

export function randomOutage(seed: number): Case {
  const random = seeded(seed);
  const zones = random.pick([[null], ['east', 'west'], ['east', 'west', 'north']]);
  const small = random.below(3) === 0;
  const hosts = Array.from({ length: 3 + random.below(5) }, (_, index) => ({
    name: `host-${index + 1}`,
    rack: `rack-${1 + random.below(3)}`,
    slots: 1 + random.below(3),
    zone: zones[index % zones.length] ?? null,
    small,
    ...(random.below(5) === 0 ? { watchdog: random.pick([10, 60]) } : {}),
  }));
  const instances = Array.from({ length: 2 + random.below(12) }, (_, index) => ({
    name: `vm-${index + 1}`,
    host: random.pick(hosts).name,
    state: random.pick(['active', 'active', 'active', 'active', 'paused', 'stopped'] as const),
    local: random.below(8) === 0,
    dirty: random.pick([0, 0, 40, 2000]),
    vcpus: 1 + random.below(4),
    'memory-mib': 512 * (1 + random.below(8)),
    ...(random.below(3) === 0 ? { ha: random.pick(haPolicies) } : {}),
  }));
  const outage = new Outage(random, hosts, instances);
  const actions = outage.actions();
  const last = actions.reduce((most, { at }) => Math.max(most, at), 0);
  return {
    seed,
    hosts,
    rules: {
      hung: random.pick(['ask', 'fence']),
      readmit: random.pick(['manual', 'manual', 'auto']),
      settleSeconds: random.pick([0, 30]),
      budget: {
        zone: 1 + random.below(2),
        fleet: 1 + random.below(3),
        windowSeconds: random.pick([600, 3600]),
      },
    },
    instances,
    actions,
    heal: Math.ceil(last) + random.pick([60, 600, 3000]),
  };
}

class Outage {
  private readonly asked: string[] = [];
  private readonly done: Action[] = [];

  constructor(
    private readonly random: Random,
    private readonly hosts: Case['hosts'],
    private readonly instances: { name: string }[],
  ) {}

  actions(): Action[] {
    const { random } = this;
    const losses = 1 + random.below(3);
    for (let loss = 0; loss < losses; loss += 1) this.loss(this.moment(300));
    for (let more = random.below(6); more > 0; more -= 1) this.operation(this.moment(400));
    for (let more = random.below(5); more > 0; more -= 1) this.beside(this.moment(600));
    for (let more = random.below(6); more > 0; more -= 1) this.trouble(this.moment(800));
    for (let more = 1 + random.below(6); more > 0; more -= 1)
      this.add({
        at: this.moment(1500),
        do: 'person',
        answers: random.pick(['approve', 'approve', 'attest', 'attest', 'reject']),
      });
    return this.done.toSorted((one, other) => one.at - other.at);
  }

  private add(action: Action): void {
    this.done.push(action);
  }

  private moment(seconds: number): number {
    return this.random.below(seconds * 10) / 10;
  }

  private host(): string {
    return this.random.pick(this.hosts).name;
  }

  /** A host is lost, or seems to be; somebody hears of it, perhaps several. It may come back by itself. */
  private loss(at: number): void {
    const { random } = this;
    const host = this.host();
    const hosts = [host];
    const fault = random.pick<Fault>([
      { do: 'crash', hosts },
      { do: 'crash', hosts },
      { do: 'crash', hosts },
      { do: 'hang', hosts },
      { do: 'partition', hosts },
      { do: 'libvirtd-kill', hosts },
      { do: 'libvirtd-hang', hosts },
      { do: 'storage-loss', hosts },
      { do: 'rack-loss', rack: random.pick(this.hosts).rack },
    ]);
    this.add({ at, do: 'fault', fault });
    if (random.below(3) === 0) this.bmc(Math.max(0, at - random.below(60)), host);
    for (let alerts = 1 + random.below(3); alerts > 0; alerts -= 1)
      this.recover(at + 5 + this.moment(120), random.below(8) === 0 ? this.host() : host);
    if (random.below(2) === 0)
      this.add({ at: at + this.moment(900), do: 'fault', fault: { do: 'restore', hosts } });
    if (random.below(3) === 0) this.ask('host.readmit', at + 300 + this.moment(1500), { host });
  }

  private bmc(at: number, host: string): void {
    const { random, hosts } = this;
    const state = random.pick(['dead', 'hang', 'wrong-password', 'deaf', 'lie', 'swapped'] as const);
    const other = random.pick(hosts.filter(({ name }) => name !== host)).name;
    const swapped = state === 'swapped' ? { with: other } : {};
    this.add({ at, do: 'fault', fault: { do: 'bmc', hosts: [host], state, ...swapped } });
  }

  private recover(at: number, host: string): void {
    this.ask('host.recover', at, { host, reason: 'an alert' });
  }

  private ask(uses: string, at: number, input: Record<string, unknown>): void {
    const id = `op-${this.asked.length}`;
    this.asked.push(id);
    this.add({ at, do: 'operation', id, uses, with: input });
  }

  /** What people do meanwhile. */
  private operation(at: number): void {
    const { random } = this;
    const instance = random.pick(this.instances).name;
    const [uses, input] = random.pick<[string, Record<string, unknown>]>([
      ['instance.live-migrate', { instance }],
      ['instance.live-migrate', { instance, host: this.host() }],
      ['instance.live-migrate', { instance, wait: '60s' }],
      ['instance.migrate', { instance, confirm_after: random.pick(['0s', 'never']), grace: '5s' }],
      ['instance.stop', { instance, grace: '5s' }],
      ['instance.start', { instance }],
      ['instance.suspend', { instance }],
      ['instance.resume', { instance }],
      ['instance.reboot', { instance, hard: true }],
      ['instance.terminate', { instance }],
      ['instance.evacuate', { instance }],
      ['instance.repair', { instance }],
      ['host.disable', { host: this.host(), reason: 'soak' }],
      ['host.enable', { host: this.host() }],
      ['host.maintenance', { host: this.host(), for: '10m', reason: 'soak' }],
    ]);
    this.ask(uses, at, input);
  }

  /** What else goes wrong: observers, other hosts, switches. */
  private beside(at: number): void {
    const { random } = this;
    const kind = random.below(6);
    if (kind === 0) {
      const mode = random.pick(recoveryModes);
      const zone = random.pick([null, ...this.hosts.map((host) => host.zone)]);
      return this.add({ at, do: 'switch', mode, zone, seconds: random.pick([null, 120]) });
    }
    const hosts = [this.host()];
    if (kind === 1) return this.bmc(at, this.host());
    if (kind < 4) {
      const vantage = random.pick(['north', 'south']);
      const only = random.below(2) === 0 ? { only: hosts } : {};
      this.add({ at, do: 'fault', fault: { do: 'blind', vantage, ...only } });
      return this.add({ at: at + this.moment(400), do: 'fault', fault: { do: 'unblind', vantage } });
    }
    const fault = random.pick<Fault>([
      { do: 'crash', hosts },
      { do: 'hang', hosts },
      { do: 'partition', hosts },
      { do: 'slow', hosts, 'call-ms': 3000, bandwidth: 20 },
    ]);
    this.add({ at, do: 'fault', fault });
    if (random.below(2) === 0)
      this.add({ at: at + this.moment(300), do: 'fault', fault: { do: 'restore', hosts } });
  }

  /** Workers that die, and workflows that are ended from outside. */
  private trouble(at: number): void {
    const { random } = this;
    if (random.below(2) === 0) {
      const which = random.pick(['recovery', 'recovery', 'control', 'hosts', 'north', 'south'] as const);
      const what = random.pick(['crash', 'redeploy', 'stop'] as const);
      this.add({ at, do: 'worker', which, what });
      if (what === 'stop') this.add({ at: at + random.pick([5, 60]), do: 'worker', which, what: 'start' });
      return;
    }
    const of = random.pick([...this.asked, ...this.instances.map(({ name }) => name)]);
    this.add({ at, do: random.pick(['cancel', 'terminate', 'reset', 'again'] as const), of });
  }
}
