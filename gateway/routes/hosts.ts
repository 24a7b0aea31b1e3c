import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { capacitySnapshot } from '../../activities/inventory/capacity.js';
import { getHost, listHosts } from '../../activities/inventory/hosts.js';
import { listInstances } from '../../activities/inventory/instances.js';
import { lossOf } from '../../activities/inventory/placement/loss.js';
import { spareOf } from '../../activities/inventory/placement/spare.js';
import { getOperation, listMigrations, listOperations } from '../../activities/inventory/records.js';
import { listKeptDisks } from '../../activities/recovery/kept-disks.js';
import { hostDetails, hostView, operationView } from '../../client/views.js';
import type { Gateway } from '../app.js';
import { addOperations } from '../operation-routes.js';
import { routesOf } from '../route.js';
import * as answers from '../schemas/answers.js';
import { flag, limit, listOf, named } from '../schemas/common.js';

const params = z.strictObject({ host: named.describe('Name of the host.') });

export function register(app: FastifyInstance, gateway: Gateway): void {
  const add = routesOf(app, gateway, 'hosts');
  add({
    method: 'GET',
    url: '/hosts',
    operationId: 'listHosts',
    summary: 'The hosts, with what is in use on each.',
    query: z.strictObject({ enabled: flag.describe('true: only those that take new instances.') }),
    answers: { 200: listOf(answers.host) },
    async handle({ caller, query: { enabled } }) {
      const found = await listHosts(caller.inventory, enabled ? { enabled } : {});
      return { items: found.map(hostView) };
    },
  });
  add({
    method: 'GET',
    url: '/hosts/:host',
    operationId: 'getHost',
    summary: 'One host: capacity, its instances, the migrations that run.',
    params,
    answers: { 200: answers.hostDetails },
    async handle({ caller: { inventory }, params: { host } }) {
      const found = await getHost(inventory, host);
      const running = (await listMigrations(inventory, { limit: 500 })).filter(
        ({ state, source, target }) => state === 'running' && (source === host || target === host),
      );
      const kept = await listKeptDisks(inventory, { host });
      return hostDetails(found, await listInstances(inventory, { host }), running, kept);
    },
  });
  add({
    method: 'GET',
    url: '/hosts/:host/history',
    operationId: 'getHostHistory',
    summary: 'What was done to a host itself, newest first.',
    params,
    query: z.strictObject({ limit }),
    answers: { 200: listOf(answers.operation) },
    async handle({ caller: { inventory }, params: { host }, query }) {
      await getHost(inventory, host);
      return { items: (await listOperations(inventory, { host, limit: query.limit })).map(operationView) };
    },
  });
  add({
    method: 'GET',
    url: '/capacity',
    operationId: 'getCapacity',
    summary:
      'How many hosts the fleet can lose; with `without`, what would find room elsewhere without that host.',
    query: z.strictObject({ without: z.string().optional().describe('As if this host were lost.') }),
    answers: { 200: z.looseObject({ fits: z.boolean() }) },
    async handle({ caller: { inventory, strategy }, query: { without } }) {
      const how = strategy === undefined ? {} : { strategy };
      if (without === undefined) {
        const spare = spareOf(await capacitySnapshot(inventory, how));
        return { fits: spare.spare > 0, ...spare };
      }
      await getHost(inventory, without);
      const loss = lossOf(await capacitySnapshot(inventory, { ...how, without: [without] }), [without]);
      return { fits: loss.unplaced.length === 0, ...loss };
    },
  });
  add({
    method: 'GET',
    url: '/operations/:operation',
    operationId: 'getOperation',
    summary: 'One operation: its state, result or error.',
    params: z.strictObject({ operation: named.describe('Its id.') }),
    answers: { 200: answers.operation },
    handle: async ({ caller, params: { operation } }) =>
      operationView(await getOperation(caller.inventory, operation)),
  });
  addOperations(add, 'host');
}
