import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { getFlavor } from '../../activities/inventory/flavors.js';
import { getInstance, history, listInstances } from '../../activities/inventory/instances.js';
import type { Caller } from '../../client/caller.js';
import { lookAtInstance } from '../../client/look-at.js';
import { askOperation, operationAsks } from '../../client/operation-asks.js';
import { cancelOperation } from '../../client/operations.js';
import { instanceDetails, instanceView, operationView } from '../../client/views.js';
import { instanceWorkflowId } from '../../model/addresses.js';
import { DroverError } from '../../model/errors.js';
import { launch } from '../../workflows/instance/launch.js';
import type { Gateway } from '../gateway.js';
import { addOperations, operate } from '../operation-routes.js';
import { idOf } from '../idempotency.js';
import { routesOf } from '../route.js';
import * as answers from '../schemas/answers.js';
import { dryRun, limit, listOf, named } from '../schemas/common.js';

const params = z.strictObject({ instance: named.describe('Name or id of the instance.') });

const { instance: _, vcpus, memory_mib, ...launchShape } = launch.input.shape;
const launchBody = z.strictObject({
  ...launchShape,
  vcpus: vcpus.optional().describe('Instead of that of the flavor.'),
  memory_mib: memory_mib.optional().describe('Instead of that of the flavor, in MiB.'),
});

export function register(app: FastifyInstance, gateway: Gateway): void {
  const add = routesOf(app, gateway, 'instances');
  add({
    method: 'GET',
    url: '/instances',
    operationId: 'listInstances',
    summary: 'The instances that are not deleted.',
    query: z.strictObject({ host: z.string().optional(), state: z.string().optional() }),
    answers: { 200: listOf(answers.instance) },
    handle: async ({ caller, query }) => ({
      items: (await listInstances(caller.inventory, query)).map(instanceView),
    }),
  });
  add({
    method: 'POST',
    url: '/instances',
    operationId: 'launchInstance',
    summary: launch.summary,
    query: z.strictObject({ dryRun }),
    body: launchBody,
    answers: { 202: answers.startedOperation, 200: answers.startedOperation.or(answers.dryRunAnswer) },
    async handle({ caller, query, body, request }) {
      const id = idOf(request);
      const input = { ...(await sized(caller, body)), instance: id ?? randomUUID() };
      return operate(caller, 'instance.launch', input, query.dryRun, id);
    },
  });
  add({
    method: 'GET',
    url: '/instances/:instance',
    operationId: 'getInstance',
    summary: 'One instance: its state, place, size, disks, what is wrong with it, its last operations.',
    params,
    answers: { 200: answers.instanceDetails },
    async handle({ caller, params: { instance: name } }) {
      const { instance, operations, migrations, kept } = await lookAtInstance(caller.inventory, name);
      return instanceDetails(instance, operations, migrations, kept);
    },
  });
  add({
    method: 'GET',
    url: '/instances/:instance/history',
    operationId: 'getInstanceHistory',
    summary: 'What was done to an instance, newest first; also to one that is deleted, by its id.',
    params,
    query: z.strictObject({ limit }),
    answers: { 200: listOf(answers.operation) },
    async handle({ caller: { inventory }, params: { instance }, query }) {
      const { id } = await getInstance(inventory, instance);
      return { items: (await history(inventory, id, query.limit)).map(operationView) };
    },
  });
  add({
    method: 'POST',
    url: '/instances/:instance/cancel',
    operationId: 'cancelInstanceOperation',
    summary: 'Ask what runs on an instance to stop, and to take back what it did.',
    params,
    answers: { 202: answers.said },
    async handle({ caller, params: { instance } }) {
      const { id, name } = await getInstance(caller.inventory, instance);
      await cancelOperation(caller, { workflowId: instanceWorkflowId(caller.cloud, id), label: name });
      return { said: `what runs on ${name} was asked to stop` };
    },
  });
  for (const action of operationAsks)
    add({
      method: 'POST',
      url: `/instances/:instance/${action === 'abort' ? 'abort-migration' : action}`,
      operationId: action === 'abort' ? 'abortMigration' : 'forceComplete',
      summary:
        action === 'abort'
          ? 'End a live migration; the guest stays.'
          : 'Bring a live migration to its end now.',
      params,
      ...(action === 'abort'
        ? {}
        : { body: z.strictObject({ way: z.enum(['post-copy', 'pause']).nullable().default(null) }) }),
      answers: { 200: answers.said },
      handle: async ({ caller, params: { instance }, body }) =>
        askOperation(caller, await getInstance(caller.inventory, instance), {
          action,
          way: 'way' in body ? body.way : null,
        }),
    });
  addOperations(add, 'instance');
}

/** Its size, from the flavor where it names one. */
async function sized({ inventory }: Caller, body: Record<string, unknown>): Promise<Record<string, unknown>> {
  const own = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
  if (typeof body['flavor'] === 'string') {
    const { name, vcpus: cpus, memoryMiB, diskGiB } = await getFlavor(inventory, body['flavor']);
    const disk = body['disk_gib'] === 0 ? { disk_gib: diskGiB } : {};
    return { vcpus: cpus, memory_mib: memoryMiB, ...own, ...disk, flavor: name };
  }
  if (body['vcpus'] !== undefined && body['memory_mib'] !== undefined) return own;
  throw new DroverError('InvalidInput', 'launch needs a size: flavor, or vcpus and memory_mib', {
    hint: 'see /openapi.json',
  });
}
