/**
 * A whole cloud in this process, in virtual time: the real workflows and activities, a real inventory and a
 * simulated datacenter in memory. The same seed gives the same course of events, to the byte.
 */
import type { Fencing } from '../activities/fencing/port.js';
import { closeInventory, openInventory, type Inventory } from '../activities/inventory/database.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import { putHost, recordProbe } from '../activities/inventory/hosts.js';
import { getInstance } from '../activities/inventory/instances.js';
import { openDatacenter, type Datacenter } from '../activities/simulator/datacenter.js';
import { addHost, requireHost } from '../activities/simulator/hosts.js';
import { cpuOf } from '../activities/simulator/machine.js';
import { putImages } from '../activities/simulator/populate.js';
import {
  auditWorkflowId,
  fenceCheckWorkflowId,
  janitorWorkflowId,
  alertWorkflowId,
  scheduleId,
  runWorkflowId,
  subjectWorkflowId,
  vantagePlace,
  workPlace,
} from '../model/addresses.js';
import type { AuditOptions } from '../model/audit.js';
import { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import type { Instance } from '../model/instance.js';
import type { Request } from '../model/operation.js';
import { isRecoveryRun } from '../model/recovery-run.js';
import { defaultRecoveryRules, type RecoveryRules } from '../model/recovery.js';
import type { FrozenRunbook } from '../model/runbook.js';
import type { ScheduledOrder } from '../model/schedule.js';
import type { Order } from '../workflows/operate.js';
import type { AlertOrder, AlertWord } from '../workflows/alert.js';
import type { RunOrder } from '../workflows/run-state.js';
import { VirtualClock } from './clock.js';
import { adoptGuest, type NewGuest } from './guests.js';
import { Handle } from './handle.js';
import { EventLog } from './log.js';
import { placeOfVantage, recoveryPlace } from './places.js';
import { seeded, type Random } from './random.js';
import { controlSkills, hostSkills, vantageSkills } from './skills.js';
import { VirtualTemporal } from './temporal.js';
import type { Knobs } from './trouble.js';

export interface CloudOptions {
  seed?: number;
  /** How many, or their names. */
  hosts?: number | readonly string[];
  /** Spread over the hosts; a quarter of them with a local disk. */
  instances?: number;
  /** Live migrations at a time, of each host. */
  slots?: number;
  /** False where thousands of operations run, of which nobody reads. */
  log?: boolean;
  /** When it begins, in ms since the epoch. */
  start?: number;
}

export interface Asking extends Knobs {
  /** Of the operation or run: a request that is repeated has the same. */
  id?: string;
  by?: string;
  role?: Request['role'];
}

export interface HostSize {
  vcpus: number;
  memoryMiB: number;
}

/** What the operator says of it, and the generation of its processors. */
export interface HostOptions extends HostSize {
  zone?: string | null;
  labels?: Record<string, string>;
  storage?: Record<string, string>;
  generation?: number;
}

const usualSize: HostSize = { vcpus: 32, memoryMiB: 131_072 };
const cloudName = 'virtual';
const datacenterName = 'sim';
export const refOf = (host: string): HostRef => ({ name: host, uri: `sim://${datacenterName}/${host}` });

/** The workers, by the names that scenarios call them. */
export const workerPlaces = {
  control: null,
  recovery: recoveryPlace,
  hosts: workPlace(refOf('any')),
} as const;

export class VirtualCloud {
  readonly name = cloudName;
  readonly log: EventLog;
  readonly temporal: VirtualTemporal;
  /** How hosts are chosen. */
  strategy: Strategy = 'spread';
  /** What drover.yaml says of recoveries; a test may change it at any time. */
  readonly recovery: RecoveryRules = { ...defaultRecoveryRules };
  /** The runbook of a schedule; a test says which there are. */
  loadScheduled: (runbook: string) => FrozenRunbook = (runbook) => {
    throw new DroverError('NotFound', `there is no runbook "${runbook}"`);
  };
  /** What stands before the simulated fence devices; a drill calls them as the real ones are configured. */
  fencing: (simulated: Fencing) => Fencing = (simulated) => simulated;

  private constructor(
    readonly clock: VirtualClock,
    readonly random: Random,
    readonly inventory: Inventory,
    readonly datacenter: Datacenter,
    readonly hosts: readonly string[],
    keepLog: boolean,
  ) {
    this.log = new EventLog(clock, keepLog);
    this.temporal = new VirtualTemporal(cloudName, clock, random, this.log);
    for (const place of [null, recoveryPlace])
      this.temporal.employ(place, (process) => controlSkills(this, process));
    for (const vantage of defaultRecoveryRules.vantages) {
      const place = placeOfVantage(vantagePlace(vantage, refOf('any')));
      this.temporal.employ(place, (process) => vantageSkills(this, process, vantage));
    }
    const anyHost = workPlace(refOf('any'));
    this.temporal.employ(anyHost, (process) => hostSkills(this, process));
  }

  static async open(options: CloudOptions = {}): Promise<VirtualCloud> {
    const { seed = 1, hosts = 3, instances = 0, slots = 2, log = true, start } = options;
    const clock = new VirtualClock(start);
    const names =
      typeof hosts === 'number' ? Array.from({ length: hosts }, (_, index) => `host-${index + 1}`) : hosts;
    const inventory = await openInventory({ path: ':memory:', clock });
    const datacenter = openDatacenter({ path: ':memory:', name: datacenterName, clock });
    const cloud = new VirtualCloud(clock, seeded(seed), inventory, datacenter, names, log);
    for (const [index, name] of names.entries()) await cloud.addHost(name, `rack-${(index % 4) + 1}`, slots);
    for (let index = 0; index < instances; index += 1) {
      await cloud.adopt(`vm-${index + 1}`, { host: names[index % names.length], local: index % 4 === 3 });
    }
    return cloud;
  }

  async close(): Promise<void> {
    this.datacenter.close();
    await closeInventory(this.inventory);
  }

  /** Asks for an operation, as a client does: `instance.stop`. Throws InstanceBusy while another one runs. */
  operation(key: string, input: Record<string, unknown>, asking: Asking = {}): Handle {
    const { id = this.random.uuid(), by = 'test', role = 'admin', ...knobs } = asking;
    const subject = String(key.startsWith('host.') ? input['host'] : input['instance']);
    const argument: Order = { request: { id, by, role, run: null }, input };
    const workflowId = subjectWorkflowId(cloudName, key, subject);
    const { reason = '' } = input;
    const open = this.temporal.joined(key, workflowId, { by, role, way: null, comment: String(reason) });
    const run = open ?? this.temporal.start(key, workflowId, argument, { knobs, label: subject });
    return new Handle(this.temporal, run, id);
  }

  /** Runs a runbook; the troubles are those of the run itself, `children` those of its operations. */
  runbook(
    plan: FrozenRunbook,
    inputs: Record<string, unknown> = {},
    asking: Asking & Pick<RunOrder, 'retry'> = {},
  ): Handle {
    const { id = this.random.uuid(), by = 'test', role = 'admin', retry = null, ...knobs } = asking;
    const argument: RunOrder = { id, by, role, plan, inputs, retry };
    this.log.name(id, plan.name);
    const home = isRecoveryRun(plan) ? recoveryPlace : null;
    const run = this.temporal.start('run-runbook', runWorkflowId(cloudName, id), argument, { knobs, home });
    return new Handle(this.temporal, run, id);
  }

  /** Tells of an alert, as the gateway does: to the workflow of the runbook with these inputs, started if there is none. */
  async alert(plan: FrozenRunbook, inputs: Record<string, unknown>, word: AlertWord): Promise<Handle> {
    const workflowId = alertWorkflowId(cloudName, plan.name, JSON.stringify(inputs));
    const home = isRecoveryRun(plan) ? recoveryPlace : null;
    const order: AlertOrder = { by: 'alertmanager', role: 'automation', plan, inputs };
    const open = this.temporal.newest(workflowId);
    const run = open?.open === true ? open : this.temporal.start('alert', workflowId, order, { home });
    await run.ask('alert', word);
    return new Handle(this.temporal, run, workflowId);
  }

  /** A time of a schedule has come: now. */
  scheduled(order: ScheduledOrder): Handle {
    const id = `${scheduleId(cloudName, order.schedule)}-${new Date(this.clock.now()).toISOString()}`;
    return new Handle(this.temporal, this.temporal.start('scheduled-run', id, order, {}), id);
  }

  /** One round of the janitor, now. */
  janitor(knobs: Knobs = {}): Handle {
    const id = janitorWorkflowId(cloudName);
    return new Handle(this.temporal, this.temporal.start('janitor', id, null, { knobs }), id);
  }

  /** Asks the fence devices of these hosts (null: of all), and what is armed there, now. */
  fenceCheck(hosts: string[] | null = null): Handle {
    const id = fenceCheckWorkflowId(cloudName);
    return new Handle(this.temporal, this.temporal.start('fence-check', id, { hosts }, {}), id);
  }

  /** Compares the inventory with the datacenter, now. */
  audit(options: Partial<AuditOptions> = {}, knobs: Knobs = {}): Handle {
    const workflowId = auditWorkflowId(cloudName);
    const argument = { id: this.random.uuid(), by: 'test', role: 'admin', options };
    const run = this.temporal.start('audit', workflowId, argument, { knobs });
    return new Handle(this.temporal, run, argument.id);
  }

  /** From now on a janitor every so often, as Temporal's schedule starts it; what it answers ends that. */
  scheduleJanitor(everySeconds = 30): () => void {
    let off = () => undefined as void;
    const again = () => {
      off = this.clock.timer(everySeconds * 1000, () => {
        if (this.temporal.newest(janitorWorkflowId(cloudName))?.open !== true) this.janitor();
        again();
      });
    };
    again();
    return () => off();
  }

  /** Lets time pass until no workflow is open. */
  async settle(): Promise<void> {
    while (this.temporal.open.length > 0) {
      await this.clock.drive(Promise.all(this.temporal.open.map((run) => run.ended)));
    }
  }

  /** SIGKILL of a worker, with all that runs in it; systemd starts it again. */
  crashWorker(which: keyof typeof workerPlaces = 'control'): void {
    const process = this.temporal.of(workerPlaces[which]);
    if (process) this.temporal.crash(process);
  }

  instance(nameOrId: string): Promise<Instance> {
    return getInstance(this.inventory, nameOrId);
  }

  async addHost(
    name: string,
    rack: string,
    slots: number,
    { zone = null, labels = {}, storage = {}, generation = 1, ...size }: HostOptions = usualSize,
  ): Promise<void> {
    const systemUuid = await this.datacenter.transact((tx) => {
      addHost(tx, datacenterName, { name, rack, zone: zone ?? 'zone-1', generation, ...size });
      putImages(tx, name);
      return requireHost(tx, name).system_uuid;
    });
    const facts = { hostname: name, systemUuid, hypervisor: 'simulated', ...size };
    const settings = { slots, cpuOvercommit: 1, memoryMiBReserved: 0, labels, zone, storage };
    await putHost(this.inventory, { ...refOf(name), ...settings });
    const cpu = cpuOf({ generation });
    await recordProbe(this.inventory, name, { up: true, facts: { ...facts, cpu } });
  }

  /** An instance that the datacenter and the inventory know; answers its id. */
  async adopt(
    name: string,
    {
      host = this.hosts[0] ?? '',
      ...more
    }: Partial<Omit<NewGuest, 'id' | 'name' | 'on'>> & { host?: string | undefined } = {},
  ): Promise<string> {
    const id = this.random.uuid();
    const usual = { state: 'active', vcpus: 1, memoryMiB: 1024, diskGiB: 8, local: false } as const;
    await adoptGuest(this.datacenter, this.inventory, { ...usual, ...more, id, name, on: refOf(host) });
    this.log.name(id, name);
    return id;
  }
}
