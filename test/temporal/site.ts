/** A real Temporal server, and what drover's client does with it. */
import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { controlQueue, subjectWorkflowId, workflowQueue } from '../../model/addresses.js';
import { startDevServer } from '../../temporal/dev-server.js';
import type { Order } from '../../workflows/operate.js';
import { searchAttributesOf } from '../../workflows/search-attributes.js';
import { bundleWorkflows, quietRuntime } from './bundle.js';
import { freePort, memoryFolder, temporalBinary } from './helpers.js';

/** Of the cloud that is tested: the first part of its workflows' ids. */
export const cloudName = 'test';
/** In histories and in the server: never the name of the machine. */
export const identity = 'drover-test';

export interface Site {
  client: Client;
  native: NativeConnection;
  bundle: { code: string };
  /** The server is away while `work` goes on, and comes back with what it knew. */
  away(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  quietRuntime();
  const folder = memoryFolder();
  const bundling = bundleWorkflows();
  const [port, uiPort] = [await freePort(), await freePort()];
  const options = { binary: await temporalBinary(), dataDir: folder.path, port, uiPort };
  let server = await startDevServer(options);
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  return {
    client: new Client({ connection, identity }),
    native,
    bundle: await bundling,
    async away(work) {
      await server.stop();
      await work();
      server = await startDevServer(options);
    },
    async close() {
      await native.close();
      await connection.close();
      await server.stop();
      folder.remove();
    },
  };
}

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
    workflowId: subjectWorkflowId(cloudName, key, subject),
    taskQueue: workflowQueue(cloudName, key),
    args: [order],
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `${key} ${subject}`,
    typedSearchAttributes: searchAttributesOf({
      cloud: cloudName,
      operation: key,
      subject,
      runbook: null,
      host: null,
    }),
  });
}

/** Starts another type of workflow: a run, the janitor. `id` is what follows the cloud's name. */
export function beginOther(
  { client }: Site,
  type: string,
  id: string,
  argument?: unknown,
): Promise<WorkflowHandle> {
  return client.workflow.start(type, {
    workflowId: `${cloudName}/${id}`,
    taskQueue: controlQueue(cloudName),
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
