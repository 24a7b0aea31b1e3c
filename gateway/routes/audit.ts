import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { listAudits } from '../../activities/audit/store.js';
import { listTrail, verifyTrail } from '../../activities/inventory/trail.js';
import { startAudit } from '../../client/audit.js';
import { urlOf } from '../../client/caller.js';
import type { Gateway } from '../gateway.js';
import { Answer, routesOf } from '../route.js';
import * as answers from '../schemas/answers.js';
import { limit, listOf } from '../schemas/common.js';

export function register(app: FastifyInstance, gateway: Gateway): void {
  const add = routesOf(app, gateway, 'audit');
  add({
    method: 'GET',
    url: '/audit-trail',
    operationId: 'listAuditTrail',
    summary: 'What was changed or refused, and by whom, newest first.',
    query: z.strictObject({
      since: z.iso.datetime({ offset: true }).optional().describe('From then on, RFC 3339.'),
      by: z.string().optional(),
      subject: z.string().optional(),
      limit,
    }),
    answers: { 200: listOf(answers.trailLine) },
    async handle({ caller, query: { since, ...by } }) {
      const from = since === undefined ? {} : { since: new Date(since).toISOString() };
      const lines = await listTrail(caller.inventory, { ...by, ...from });
      return {
        items: lines.map(({ details, ...line }) => ({
          ...line,
          details: JSON.parse(details) as Record<string, unknown>,
        })),
      };
    },
  });
  add({
    method: 'GET',
    url: '/audit-trail/verdict',
    operationId: 'verifyAuditTrail',
    summary: 'Whether a line of the audit trail was edited, removed or moved.',
    query: z.strictObject({ head: z.string().optional().describe('The head of an earlier answer.') }),
    answers: {
      200: z.looseObject({
        lines: z.int(),
        head: z.string().nullable(),
        broken: z.looseObject({}).nullable(),
      }),
    },
    handle: ({ caller, query }) => verifyTrail(caller.inventory, query),
  });
  add({
    method: 'GET',
    url: '/audits',
    operationId: 'listAudits',
    summary: 'Comparisons of the inventory with the hypervisors, newest first.',
    query: z.strictObject({ limit }),
    answers: { 200: listOf(z.looseObject({ id: z.string() })) },
    handle: async ({ caller, query }) => ({ items: await listAudits(caller.inventory, query.limit) }),
  });
  add({
    method: 'POST',
    url: '/audits',
    operationId: 'startAudit',
    summary:
      'Compare the inventory with the hypervisors, and repair what can be done safely where that is asked for.',
    body: z.strictObject({
      hosts: z.array(z.string().min(1)).min(1).nullable().default(null).describe('null for all.'),
      repair: z.boolean().default(false),
      adopt: z.boolean().default(false).describe('Take guests in that nobody knows.'),
      removeOrphanDisks: z.boolean().default(false),
    }),
    answers: { 202: z.looseObject({ id: z.string(), workflowId: z.string() }) },
    async handle({ caller, body }) {
      const { id, workflowId } = await startAudit(caller, body);
      const workflowUrl = urlOf(await caller.temporal(), workflowId);
      return new Answer(202, { id, state: 'running', workflowId, workflowUrl }, '/api/v1/audits');
    },
  });
}
