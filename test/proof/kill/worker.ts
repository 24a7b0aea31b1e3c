/**
 * A worker process that kills itself. It parks each planned workflow at its step, before the step or once it is done
 * and its answer not yet told, and when all are parked it ends by SIGKILL: one death meets every operation at its step.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import type { Context } from '@temporalio/activity';
import { NativeConnection, Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import { defaultRecoveryRules } from '../../../model/recovery.js';
import { openInventory } from '../../../activities/inventory/database.js';
import { serveDatacenters } from '../../../worker/datacenters.js';
import { openPorts } from '../../../worker/ports.js';
import { createControlWorker, type CloudQueue } from '../../../worker/worker.js';
import { quickClock } from './quick-clock.js';
import { names, type Order, type Parked } from './plan.js';

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Order;
const plan = new Map(order.kills.map((kill) => [kill.workflowId, kill]));
const parked: Parked[] = [];
/** Some may never come, since what they wait for is parked as well: after this long nobody is waited for. */
const patienceMs = 90_000;
let impatient: NodeJS.Timeout | undefined;

function park(workflowId: string): Promise<never> {
  // Temporal has lost patience and tries again: a second one that waits would only take a place from the others.
  if (parked.includes(workflowId)) return Promise.reject(new Error('it is parked already'));
  parked.push(workflowId);
  clearTimeout(impatient);
  if (parked.length === plan.size) die();
  impatient = setTimeout(die, patienceMs);
  return new Promise(() => {});
}

function die(): void {
  writeFileSync(order.parkedFile, JSON.stringify(parked));
  process.kill(process.pid, 'SIGKILL');
}

function rebootsAgain(name: string): ReturnType<typeof shipped.hostWork> {
  const work = shipped.hostWork(name);
  return { ...work, rebootHost: async (_input, call) => work.rebootHost(await work.bootId({}, call), call) };
}

const interceptors = {
  activity: [
    ({ info }: Context) => ({
      inbound: {
        async execute<I, O>(input: I, next: (input: I) => Promise<O>): Promise<O> {
          const workflowId = info.workflowExecution?.workflowId ?? '';
          const kill = plan.get(workflowId);
          if (kill?.step !== Number(info.activityId)) return next(input);
          if (kill.position === 'after') await next(input).catch(() => undefined);
          return park(workflowId);
        },
      },
    }),
  ],
};

Runtime.install({
  logger: {
    ...console,
    trace: () => undefined,
    debug: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    log: () => undefined,
  },
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
});
const { address, folder, bundle, begun } = order;
const connection = await Connection.connect({ address });
const common = {
  connection: await NativeConnection.connect({ address }),
  namespace: 'default',
  identity: 'proof',
  shutdownGraceTime: '1s',
  maxHeartbeatThrottleInterval: '500ms',
  // What a dead worker had in its cache is given to the next at once.
  stickyQueueScheduleToStartTimeout: '1s',
  interceptors,
};
const shipped = openPorts({ dataDir: folder, clock: quickClock(begun) });
const ports = order.mutant ? { ...shipped, hostWork: rebootsAgain } : shipped;
const inventory = await openInventory({ path: `${folder}/inventory.db` });
const client = new Client({ connection });
// All evacuations here are to one host: those that are parked there would keep the others waiting.
const rules = { ...defaultRecoveryRules, perTarget: plan.size + 1 };
const create = (queue: CloudQueue) =>
  createControlWorker({
    cloud: names.cloud,
    inventory,
    client,
    common,
    ports,
    bundle: { codePath: bundle },
    queue,
    rules,
  });
const workers = [await create('control'), await create('recovery')];
const never = new AbortController().signal;
process.send?.('ready');
await Promise.all([
  ...workers.map((worker) => worker.run()),
  serveDatacenters(ports, { cloud: names.cloud, common, ended: never }),
]);
