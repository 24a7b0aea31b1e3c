/**
 * The process that runs workflows and activities. The cloud's own workers drive hypervisors by their remote URIs and own
 * the inventory: control for all operations, recovery for those that bring back what was on a lost host. The worker of a
 * host (`host`) does disk work where the disk is, and a vantage point (`vantage`) looks at hosts; they have no inventory.
 */
import { fileURLToPath } from 'node:url';
import {
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { Context } from '@temporalio/activity';
import { createAuditActivities } from '../activities/audit/activities.js';
import { createEvacuationActivities } from '../activities/evacuation/activities.js';
import { createFencingActivities } from '../activities/fencing/activities.js';
import { createHostWaitActivities } from '../activities/host/wait-for-host.js';
import { createHypervisorActivities } from '../activities/hypervisor/activities.js';
import { fencedHypervisor } from '../activities/hypervisor/fenced.js';
import type { Hypervisor } from '../activities/hypervisor/port.js';
import { beatsAtMostEvery } from '../activities/limits.js';
import { createInventoryActivities } from '../activities/inventory/activities.js';
import { closeInventory, openInventory, type Inventory } from '../activities/inventory/database.js';
import { createRecoveryActivities } from '../activities/recovery/activities.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import { fenceOf } from '../activities/inventory/fences.js';
import { hypervisorInventory } from '../activities/inventory/for-hypervisor.js';
import { probeFenced, seenRunning } from '../activities/recovery/return-seen.js';
import { createReturnActivities } from '../activities/recovery/return.js';
import { createScheduleActivities } from '../activities/schedules.js';
import { createWaitActivities } from '../activities/wait.js';
import type { Config } from '../config/config.js';
import { encryptionKeys } from '../config/encryption.js';
import { defaultRecoveryRules, type RecoveryRules } from '../model/recovery.js';
import { controlQueue, recoveryQueue } from '../model/addresses.js';
import { dataConverterOf } from '../temporal/codec.js';
import { scheduledRun } from '../runbooks/language/scheduled.js';
import { connectClient, resolveTarget } from '../temporal/connect.js';
import { ensureSearchAttributes } from '../temporal/search-attributes.js';
import { runbookCatalogue } from '../workflows/runbook-catalogue.js';
import { wrapActivities } from './envelope.js';
import { ensureSchedules } from './schedules.js';
import { findWorkflow } from './find-workflow.js';
import { createLog } from './log.js';
import { serveDatacenters } from './datacenters.js';
import type { Observer } from './observer.js';
import { besideControl } from './beside.js';
import { runHostWorker, runVantage, type Common } from './elsewhere.js';
import { openPorts, type Ports } from './ports.js';

export interface WorkerRun {
  config: Config;
  /** Only one of the two; default both, each with its own places for work, so that neither keeps the other waiting. */
  only?: CloudQueue;
  /** The host whose disks it works on; without it a worker of the cloud. */
  host?: string;
  /** The vantage point that it is. */
  vantage?: string;
  /** Where the worker of a host keeps its fence. */
  stateDir?: string;
  /** What the worker of a host runs to reboot it. */
  rebootCommand?: string[];
  janitorEverySeconds?: number;
  /** Other workflows than the shipped ones, and what else tests ask of Temporal's workers. */
  bundle?: WorkflowBundleOption;
  temporal?: Partial<WorkerOptions>;
}

export type CloudQueue = 'control' | 'recovery';
const queueOf = { control: controlQueue, recovery: recoveryQueue } as const;

/** What a worker may do at once: migrations wait for most of their time, so a hundred are little work. */
const activitiesAtOnce = 100;
/** A worker that is told to stop gives its activities this long; what goes on is found again by the next. */
const graceTime = '5s';

/** Runs until SIGTERM or SIGINT; then it drains and returns. */
export async function runWorker(run: WorkerRun): Promise<void> {
  const log = createLog(nameOf(run));
  Runtime.install({ logger: log.temporal, shutdownSignals: ['SIGTERM', 'SIGINT'] });
  const dataConverter = dataConverterOf(await encryptionKeys(run.config.encryption, process.env));
  const temporal = await connectClient({ dataDir: run.config.data, dataConverter });
  const target = resolveTarget({ dataDir: run.config.data });
  const connection = await NativeConnection.connect(target.connectionOptions);
  try {
    const common = {
      connection,
      namespace: temporal.namespace,
      ...(dataConverter ? { dataConverter } : {}),
      shutdownGraceTime: graceTime,
      // By default only every 8 s of ours is sent.
      maxHeartbeatThrottleInterval: beatsAtMostEvery,
      ...run.temporal,
    };
    if (run.host) await runHostWorker(run.host, run, common);
    else if (run.vantage) await runVantage(run.vantage, run, common);
    else {
      const { warning, missing } = await ensureSearchAttributes(temporal.connection, temporal.namespace);
      if (warning) log.warn(warning);
      if (run.only !== 'recovery')
        await ensureSchedules(temporal.client, {
          cloud: run.config.cloud,
          janitorEverySeconds: run.janitorEverySeconds ?? 30,
          auditEverySeconds: run.config.auditEverySeconds,
          fenceCheckEverySeconds: run.config.fencing.checkEverySeconds,
          searchable: missing.length === 0,
        });
      const searchable = missing.length === 0;
      await runCloudWorkers(run, { client: temporal.client, uiUrl: temporal.uiUrl, searchable, log }, common);
    }
  } finally {
    await connection.close();
    await temporal.connection.close();
  }
}

const nameOf = ({ host, vantage }: WorkerRun): string => {
  if (host !== undefined) return `host worker ${host}`;
  return vantage === undefined ? 'worker' : `vantage point ${vantage}`;
};

async function runCloudWorkers(
  { config, bundle, only }: WorkerRun,
  {
    client,
    uiUrl,
    searchable,
    log,
  }: { client: Client; uiUrl: string | undefined; searchable: boolean; log: Observer['log'] },
  common: Common,
): Promise<void> {
  const ports = openPorts({ dataDir: config.data, fencing: config.fencing });
  const { cloud, runbooks: folders } = config;
  const { strategy } = config.placement;
  const ended = new AbortController();
  // Each has connections of its own: what fills those of control must not keep a recovery waiting.
  const inventories = new Map<CloudQueue, Inventory>();
  const workers: Worker[] = [];
  // Whichever fails, the others are ended, and the failure told.
  const end = () => {
    ended.abort();
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  try {
    for (const queue of only === undefined ? (['control', 'recovery'] as const) : [only]) {
      const inventory = await openInventory(config.inventory);
      inventories.set(queue, inventory);
      const rules = config.recovery;
      const create = { cloud, inventory, client, common, ports, bundle, strategy, queue, rules, folders };
      workers.push(await createControlWorker(create));
    }
    const { vantages } = config.recovery;
    const simulated = serveDatacenters(ports, { cloud, common, ended: ended.signal, vantages });
    const inventory = inventories.get('control');
    const beside = inventory
      ? besideControl(
          {
            config,
            client,
            uiUrl,
            searchable,
            inventory,
            hypervisor: unfenced(ports, inventory),
            log,
            namespace: common.namespace,
          },
          ended.signal,
        )
      : [];
    const all = [...workers.map((worker) => worker.run()), simulated, ...beside];
    await Promise.all(all.map((work) => work.finally(end)));
  } finally {
    ports.close();
    for (const inventory of inventories.values()) await closeInventory(inventory);
  }
}

/** What is done for both queues is the same. `bundle`: other workflows than the shipped ones; the benchmarks add theirs. */
export async function createControlWorker(options: {
  cloud: string;
  inventory: Inventory;
  client: Client;
  common: Common;
  ports: Ports;
  bundle?: WorkflowBundleOption | undefined;
  /** How hosts are chosen; default spread. */
  strategy?: Strategy;
  queue?: CloudQueue;
  /** What holds for recoveries; default as without a configuration. */
  rules?: RecoveryRules;
  /** Where the runbooks of schedules are, beside the shipped ones. */
  folders?: readonly string[];
}): Promise<Worker> {
  const { cloud, inventory, client, common, ports, bundle = shippedBundle, strategy = 'spread' } = options;
  const { queue = 'control', rules = defaultRecoveryRules, folders = [] } = options;
  const find = findWorkflow(client);
  const driver = unfenced(ports, inventory);
  const audit = createLog('audit');
  const currentRun = () => Context.current().info.workflowExecution ?? null;
  const inventoryActivities = createInventoryActivities({
    inventory,
    currentRun,
    isCurrentRun: async (workflowId, runId) => {
      const newest = await find(workflowId);
      return newest?.runId === runId && newest.open;
    },
    isOpen: async (workflowId) => (await find(workflowId))?.open ?? false,
    capabilities: driver.capabilities,
    strategy,
    perTarget: () => rules.perTarget,
  });
  const activities = {
    ...inventoryActivities,
    ...createAuditActivities({
      inventory,
      hypervisor: driver,
      quarantine: (host) => seenRunning({ inventory, hypervisor: ports.hypervisor }, { host }),
      say: (finding) => audit.warn(finding),
    }),
    ...createHypervisorActivities({
      hypervisor: driver,
      inventory: hypervisorInventory(inventory),
      quarantine: (host) => probeFenced({ inventory, hypervisor: ports.hypervisor, rules }, host),
    }),
    ...createHostWaitActivities({ hypervisor: driver, inventory: hypervisorInventory(inventory) }),
    ...createEvacuationActivities({
      hypervisor: driver,
      inventory,
      workflows: {
        isOpen: async (id) => (await find(id))?.open ?? false,
        cancel: (id) => unlessEnded(client.workflow.getHandle(id).cancel()),
        terminate: (id, reason) => unlessEnded(client.workflow.getHandle(id).terminate(reason)),
      },
    }),
    ...createFencingActivities({ fencing: ports.fencing, inventory }),
    ...createRecoveryActivities({ inventory, rules, currentRun }),
    // The readmission alone calls a host that is fenced.
    ...createReturnActivities({
      inventory,
      hypervisor: ports.hypervisor,
      fencing: ports.fencing,
      rules,
    }),
    ...createWaitActivities({ describe: find }),
    ...createScheduleActivities({
      inventory,
      load: (order, schedule) => scheduledRun(order, schedule, folders, runbookCatalogue()),
    }),
  };
  return Worker.create({
    ...common,
    taskQueue: queueOf[queue](cloud),
    workflowBundle: bundle,
    activities: wrapActivities(activities, (input) => inventoryActivities.admit(input, noCall)),
    maxConcurrentActivityTaskExecutions: activitiesAtOnce,
  });
}

const shippedBundle = { codePath: fileURLToPath(new URL('../workflow-bundle.cjs', import.meta.url)) };

/** The hypervisors of the hosts that are not fenced. */
const unfenced = (ports: Ports, inventory: Inventory): Hypervisor =>
  fencedHypervisor(ports.hypervisor, (host) => fenceOf(inventory, host));

async function unlessEnded(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  });
}

const noCall = {
  owner: null,
  host: null,
  signal: new AbortController().signal,
  cancelRequested: () => false,
  heartbeat: () => undefined,
};
