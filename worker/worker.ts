/**
 * The process that runs workflows and activities. A control worker drives hypervisors by their remote URIs and
 * owns the inventory; the worker of a host (`host`) does disk work where the disk is, and has no inventory.
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
import { createDiskActivities } from '../activities/disk/activities.js';
import { createHostActivities } from '../activities/host/activities.js';
import { createHostWaitActivities } from '../activities/host/wait-for-host.js';
import { createHypervisorActivities } from '../activities/hypervisor/activities.js';
import { beatsAtMostEvery } from '../activities/limits.js';
import { createInventoryActivities } from '../activities/inventory/activities.js';
import { closeInventory, openInventory, type Inventory } from '../activities/inventory/database.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import { hypervisorInventory } from '../activities/inventory/for-hypervisor.js';
import { createWaitActivities } from '../activities/wait.js';
import type { Config } from '../config/config.js';
import { DroverError } from '../model/errors.js';
import { controlQueue, hostQueue } from '../model/addresses.js';
import { connectClient, resolveTarget } from '../temporal/connect.js';
import { ensureSearchAttributes } from '../temporal/search-attributes.js';
import { wrapActivities } from './envelope.js';
import { ensureSchedules } from './schedules.js';
import { createLog } from './log.js';
import { serveDatacenters } from './datacenters.js';
import { observe, type Observer } from './observer.js';
import { operator } from './operate.js';
import { openPorts, type Ports } from './ports.js';

export interface WorkerRun {
  config: Config;
  /** The host whose disks it works on; without it a control worker. */
  host?: string;
  /** Where the worker of a host keeps its fence. */
  stateDir?: string;
  /** What the worker of a host runs to reboot it. */
  rebootCommand?: string[];
  janitorEverySeconds?: number;
  /** Other workflows than the shipped ones, and what else tests ask of Temporal's workers. */
  bundle?: WorkflowBundleOption;
  temporal?: Partial<WorkerOptions>;
}

/** What a worker may do at once: migrations wait for most of their time, so a hundred are little work. */
const activitiesAtOnce = 100;
/** A worker that is told to stop gives its activities this long; what goes on is found again by the next. */
const graceTime = '5s';

/** Runs until SIGTERM or SIGINT; then it drains and returns. */
export async function runWorker(run: WorkerRun): Promise<void> {
  const log = createLog(run.host ? `host worker ${run.host}` : 'worker');
  Runtime.install({ logger: log.temporal, shutdownSignals: ['SIGTERM', 'SIGINT'] });
  const temporal = await connectClient({ dataDir: run.config.data });
  const target = resolveTarget({ dataDir: run.config.data });
  const connection = await NativeConnection.connect(target.connectionOptions);
  try {
    const common = {
      connection,
      namespace: temporal.namespace,
      shutdownGraceTime: graceTime,
      // By default only every 8 s of ours is sent.
      maxHeartbeatThrottleInterval: beatsAtMostEvery,
      ...run.temporal,
    };
    if (run.host) await runHostWorker(run.host, run, common);
    else {
      const { warning, missing } = await ensureSearchAttributes(temporal.connection, temporal.namespace);
      if (warning) log.warn(warning);
      await ensureSchedules(temporal.client, {
        cloud: run.config.cloud,
        janitorEverySeconds: run.janitorEverySeconds ?? 30,
        auditEverySeconds: run.config.auditEverySeconds,
        searchable: missing.length === 0,
      });
      const searchable = missing.length === 0;
      await runControlWorker(run, { client: temporal.client, searchable, log }, common);
    }
  } finally {
    await connection.close();
    await temporal.connection.close();
  }
}

type Common = Pick<
  WorkerOptions,
  'connection' | 'namespace' | 'shutdownGraceTime' | 'maxHeartbeatThrottleInterval'
>;

async function runControlWorker(
  { config, bundle }: WorkerRun,
  { client, searchable, log }: { client: Client; searchable: boolean; log: Observer['log'] },
  common: Common,
): Promise<void> {
  const inventory = await openInventory(config.inventory);
  const ports = openPorts({ dataDir: config.data });
  const { cloud } = config;
  const ended = new AbortController();
  try {
    const { strategy } = config.placement;
    const worker = await createControlWorker({ cloud, inventory, client, common, ports, bundle, strategy });
    const simulated = serveDatacenters(ports, { cloud, common, ended: ended.signal });
    // Whichever fails, the other one is ended, and the failure told.
    const broken = simulated.finally(() => worker.getState() === 'RUNNING' && worker.shutdown());
    const operate = operator(client, { cloud, searchable });
    const { hypervisor } = ports;
    const observed = observe({ hypervisor, inventory, operate, log }, ended.signal);
    await Promise.all([worker.run().finally(() => ended.abort()), broken, observed]);
  } finally {
    ports.close();
    await closeInventory(inventory);
  }
}

/** `bundle`: other workflows than the shipped ones; the benchmarks add theirs. */
export async function createControlWorker(options: {
  cloud: string;
  inventory: Inventory;
  client: Client;
  common: Common;
  ports: Ports;
  bundle?: WorkflowBundleOption | undefined;
  /** How hosts are chosen; default spread. */
  strategy?: Strategy;
}): Promise<Worker> {
  const { cloud, inventory, client, common, ports, bundle = shippedBundle, strategy = 'spread' } = options;
  const find = findWorkflow(client);
  const driver = ports.hypervisor;
  const audit = createLog('audit');
  const inventoryActivities = createInventoryActivities({
    inventory,
    currentRun: () => Context.current().info.workflowExecution ?? null,
    isCurrentRun: async (workflowId, runId) => {
      const newest = await find(workflowId);
      return newest?.runId === runId && newest.open;
    },
    isOpen: async (workflowId) => (await find(workflowId))?.open ?? false,
    capabilities: driver.capabilities,
    strategy,
  });
  const activities = {
    ...inventoryActivities,
    ...createAuditActivities({ inventory, hypervisor: driver, say: (finding) => audit.warn(finding) }),
    ...createHypervisorActivities({ hypervisor: driver, inventory: hypervisorInventory(inventory) }),
    ...createHostWaitActivities({ hypervisor: driver, inventory: hypervisorInventory(inventory) }),
    ...createWaitActivities({ describe: find }),
  };
  return Worker.create({
    ...common,
    taskQueue: controlQueue(cloud),
    workflowBundle: bundle,
    activities: wrapActivities(activities, (input) => inventoryActivities.admit(input, noCall)),
    maxConcurrentActivityTaskExecutions: activitiesAtOnce,
  });
}

const shippedBundle = { codePath: fileURLToPath(new URL('../workflow-bundle.cjs', import.meta.url)) };

async function runHostWorker(host: string, run: WorkerRun, common: Common): Promise<void> {
  const { config, stateDir = '/var/lib/drover', rebootCommand } = run;
  const activities = {
    ...createDiskActivities({ stateDir }),
    ...createHostActivities(rebootCommand === undefined ? {} : { rebootCommand }),
  };
  const worker = await Worker.create({
    ...common,
    taskQueue: hostQueue(controlQueue(config.cloud), host),
    activities: wrapActivities(activities, null),
  });
  await worker.run();
}

const noCall = {
  owner: null,
  host: null,
  signal: new AbortController().signal,
  cancelRequested: () => false,
  heartbeat: () => undefined,
};

/** What Temporal says of the latest run of a workflow id; null when it knows none. */
function findWorkflow(client: Client) {
  return async (workflowId: string): Promise<{ open: boolean; type: string; runId: string } | null> => {
    try {
      const found = await client.workflow.getHandle(workflowId).describe();
      return { open: found.status.name === 'RUNNING', type: found.type, runId: found.runId };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw new DroverError('TemporalUnreachable', `Temporal did not describe ${workflowId}`, {
        cause: error,
      });
    }
  };
}
