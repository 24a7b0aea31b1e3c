/** A real Temporal server and real workers, whose activities are the fakes over the real inventory. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Client, Connection, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Activities, Call, Implement } from '../../activities/types.js';
import { controlQueue, hostQueue, subjectWorkflowId } from '../../model/addresses.js';
import { startDevServer } from '../../temporal/dev-server.js';
import { wrapActivities } from '../../worker/envelope.js';
import type { Order } from '../../workflows/operate.js';
import { searchAttributesOf } from '../../workflows/search-attributes.js';
import { hostNames, type FakeCloud } from '../unit/workflows/fake-cloud.js';
import { bundleWorkflows, quietRuntime } from './bundle.js';
import { freePort, temporalBinary } from './helpers.js';

const queue = controlQueue('fake');
/** In histories and in the server: never the name of the machine. */
const identity = 'fake-site';

export interface Site {
  client: Client;
  native: NativeConnection;
  bundle: { code: string };
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  quietRuntime();
  // In memory where there is such a folder: the server writes at every event.
  const dataDir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'drover-site-'));
  const bundling = bundleWorkflows();
  const [port, uiPort] = [await freePort(), await freePort()];
  const server = await startDevServer({ binary: await temporalBinary(), dataDir, port, uiPort });
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  return {
    client: new Client({ connection, identity }),
    native,
    bundle: await bundling,
    async close() {
      await native.close();
      await connection.close();
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** What a call does when it was admitted, before its work: throw, wait, or call somebody. By activity. */
export type Hooks = Map<string, (input: unknown, call: Call) => void | Promise<void>>;

interface Serving {
  hooks?: Hooks;
  /** Around every admission of a step, to hold one back. */
  admission?: (admit: () => Promise<void>) => Promise<void>;
  /** The host that has no worker. */
  without?: string;
}

/** The control worker and a worker of each host; `stop` is what a deploy does. */
export async function serve(
  { client, native, bundle }: Site,
  cloud: FakeCloud,
  { hooks = new Map(), admission = (admit) => admit(), without }: Serving = {},
): Promise<{ stop(): Promise<void> }> {
  const describe = async (id: string) => {
    try {
      const { status, type, runId } = await client.workflow.getHandle(id).describe();
      return { open: status.name === 'RUNNING', type, runId };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  };
  const control = cloud.control({
    currentRun: () => Context.current().info.workflowExecution ?? null,
    isCurrentRun: async (id, runId) => {
      const newest = await describe(id);
      return newest?.runId === runId && newest.open;
    },
    isOpen: async (id) => (await describe(id))?.open ?? false,
    describe,
  });
  const common = {
    connection: native,
    identity,
    shutdownGraceTime: '200ms',
    maxHeartbeatThrottleInterval: '100ms',
    maxCachedWorkflows: 200,
  } as const;
  const workers = [
    await Worker.create({
      ...common,
      taskQueue: queue,
      workflowBundle: bundle,
      activities: wrapActivities(hooked(control, hooks), (input) =>
        admission(() => control.admit(input, noCall)),
      ),
    }),
    ...(await Promise.all(
      hostNames
        .filter((host) => host !== without)
        .map((host) =>
          Worker.create({
            ...common,
            taskQueue: hostQueue(queue, host),
            activities: wrapActivities(hooked(cloud.hostWorker(host), hooks), null),
          }),
        ),
    )),
  ];
  const ended = Promise.all(workers.map((worker) => worker.run()));
  return {
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

type Work = (input: unknown, call: Call) => Promise<unknown>;

function hooked(activities: Partial<Implement<Activities>>, hooks: Hooks): Partial<Implement<Activities>> {
  const entries = Object.entries(activities).map(([name, work]): [string, Work] => [
    name,
    async (input, call) => {
      await hooks.get(name)?.(input, call);
      return (work as Work)(input, call);
    },
  ]);
  return Object.fromEntries(entries);
}

const noCall: Call = {
  owner: null,
  host: null,
  signal: new AbortController().signal,
  cancelRequested: () => false,
  heartbeat: () => undefined,
};

/** Starts an operation as drover's client does. */
export async function begin(
  { client }: Site,
  key: string,
  input: Record<string, unknown>,
  request: Partial<Order['request']> = {},
): Promise<WorkflowHandle> {
  const subject = String(key.startsWith('host.') ? input['host'] : input['instance']);
  const order: Order = {
    request: { id: randomUUID(), by: 'test', role: 'admin', run: null, ...request },
    input,
  };
  return client.workflow.start(key, {
    workflowId: subjectWorkflowId('fake', key, subject),
    taskQueue: queue,
    args: [order],
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `${key} ${subject}`,
    typedSearchAttributes: searchAttributesOf({
      cloud: 'fake',
      operation: key,
      subject,
      runbook: null,
      host: null,
    }),
  });
}

/** Starts another type of workflow: a run, the janitor. */
export function beginOther(
  { client }: Site,
  type: string,
  id: string,
  argument?: unknown,
): Promise<WorkflowHandle> {
  return client.workflow.start(type, {
    workflowId: id,
    taskQueue: queue,
    args: argument === undefined ? [] : [argument],
  });
}

/** How it ended: done, or the error's type. */
export async function endOf(handle: WorkflowHandle): Promise<string> {
  try {
    await handle.result();
    return 'done';
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof Error && 'type' in cause && typeof cause.type === 'string') return cause.type;
    return cause instanceof Error ? cause.name : String(error);
  }
}
