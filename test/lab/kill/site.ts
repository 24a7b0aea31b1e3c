/** A lab of two hosts with a whole drover, whose workers hold operations at their steps until something has struck. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { controlQueue, hostQueue, instanceWorkflowId } from '../../../model/addresses.js';
import { searchAttributesOf } from '../../../workflows/search-attributes.js';
import { bundleWorkflows, quietRuntime } from '../../temporal/bundle.js';
import { endOf } from '../../temporal/site.js';
import { transpiled } from '../../transpile.js';
import { openWorld, type World } from '../world.js';
import { flavors } from './cases.js';
import { openBoard, type Board } from './plan.js';

export const hosts = ['host1', 'host2'] as const;
const cloud = 'lab';

export interface KillSite {
  world: World;
  inventory: Inventory;
  board: Board;
  client: Client;
  /** Starts an operation; answers its request's id. */
  begin(operation: string, instance: string, input: Record<string, unknown>): Promise<string>;
  /** How the last operation of the instance ended, whatever becomes of Temporal meanwhile: `done`, or the code. */
  end(instance: string): Promise<string>;
  /** The steps that its last operation took, in the order of their numbers, and the hosts whose own workers did them. */
  steps(instance: string): Promise<{ name: string; host: string | null }[]>;
  close(): Promise<void>;
}

export async function openKillSite(): Promise<KillSite> {
  quietRuntime();
  const code = transpiled(['test/lab/kill/worker.ts']);
  const limits = new URL('short-limits.ts', import.meta.url).pathname;
  writeFileSync(join(code.directory, 'workflows.cjs'), (await bundleWorkflows([limits])).code);
  const world = await openWorld(hosts.length, {
    hostOptions: ['--slots', '40', '--cpu-overcommit', '40'],
    program: join(code.directory, 'test/lab/kill/worker.js'),
  });
  for (const { name, memoryMiB } of flavors)
    await world.ok('flavor', 'create', name, '--vcpus', '1', '--memory-mib', String(memoryMiB));
  const inventory = await openInventory({ path: join(world.dir, 'inventory.db') });
  const client = await world.client();
  const handle = (instance: string) => client.workflow.getHandle(instanceWorkflowId(cloud, instance));
  return {
    world,
    inventory,
    board: openBoard(world.dir),
    client,
    async begin(operation, subject, input) {
      const id = randomUUID();
      const request = { id, by: 'test', role: 'admin', run: null };
      await client.workflow.start(operation, {
        workflowId: instanceWorkflowId(cloud, subject),
        taskQueue: controlQueue(cloud),
        args: [{ request, input: { ...input, instance: subject } }],
        workflowIdConflictPolicy: 'FAIL',
        // A task that died with its worker is given to the next soon.
        workflowTaskTimeout: '3s',
        typedSearchAttributes: searchAttributesOf({ cloud, operation, subject, runbook: null, host: null }),
      });
      return id;
    },
    async end(instance) {
      for (;;) {
        // A server that is away is asked again; a test that waits in vain has its own limit.
        const closed = await handle(instance)
          .describe()
          .then(({ status }) => status.name !== 'RUNNING')
          .catch(() => false);
        if (closed) return endOf(handle(instance));
        await sleep(200);
      }
    },
    async steps(instance) {
      const { events } = await handle(instance).fetchHistory();
      const asked = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: it }) =>
        it ? [it] : [],
      );
      return asked
        .toSorted((one, other) => Number(one.activityId) - Number(other.activityId))
        .map(({ activityType, taskQueue }) => ({
          name: activityType?.name ?? '',
          host: hosts.find((host) => taskQueue?.name === hostQueue(controlQueue(cloud), host)) ?? null,
        }));
    },
    async close() {
      await client.connection.close();
      await closeInventory(inventory);
      await world.close();
      code.remove();
    },
  };
}
