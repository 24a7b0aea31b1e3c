import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { getHost, listHosts } from '../../activities/inventory/hosts.js';
import { getOperation, listOperations } from '../../activities/inventory/records.js';
import { capacityWithout, fleetCapacity } from '../../client/capacity.js';
import { lookAtHost } from '../../client/look-at.js';
import { hostDetails, hostView, operationView } from '../../client/views.js';
import type { Gateway } from '../gateway.js';
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
    async handle({ caller, params: { host: name } }) {
      const { host, instances, migrations, kept } = await lookAtHost(caller.inventory, name);
      return hostDetails(host, instances, migrations, kept);
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
    async handle({ caller, query: { without } }) {
      if (without === undefined) return fleetCapacity(caller);
      await getHost(caller.inventory, without);
      return capacityWithout(caller, [without]);
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
