import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { listRunItems } from '../../activities/inventory/run-items.js';
import type { Caller } from '../../client/caller.js';
import { mayOperate } from '../../client/permissions.js';
import { askRun, decide } from '../../client/run-asks.js';
import { listRunViews } from '../../client/run-list.js';
import { prepareRetry } from '../../client/run-retry.js';
import { viewRun } from '../../client/run-view.js';
import { findRun, startRun } from '../../client/runs.js';
import { runDetails, runItem, runSummary } from '../../client/views.js';
import type { Gateway } from '../gateway.js';
import { Answer, routesOf } from '../route.js';
import { startedAnswer } from '../run-answer.js';
import * as answers from '../schemas/answers.js';
import { comment, dryRun, flag, limit, listOf, named } from '../schemas/common.js';

const params = z.strictObject({
  run: named.describe('Id of the run, or its first characters (at least 4).'),
});
const decision = z.strictObject({
  step: z.string().nullable().default(null).describe('Where more than one waits.'),
  comment,
});

/** A run that no worker has taken up yet is not in the inventory: then the id must be the whole one. */
const idOf = async (caller: Caller, id: string): Promise<string> => (await findRun(caller, id))?.id ?? id;

export function register(app: FastifyInstance, gateway: Gateway): void {
  const add = routesOf(app, gateway, 'runs');
  add({
    method: 'GET',
    url: '/runs',
    operationId: 'listRuns',
    summary: 'Runs, newest first.',
    query: z.strictObject({
      runbook: z.string().optional(),
      state: z.enum(['running', 'succeeded', 'failed', 'cancelled', 'rejected']).optional(),
      parts: flag.describe('true: also runs that are a step of another run.'),
      limit,
    }),
    answers: { 200: listOf(answers.run) },
    handle: async ({ caller, query }) => ({ items: (await listRunViews(caller, query)).map(runSummary) }),
  });
  add({
    method: 'GET',
    url: '/runs/:run',
    operationId: 'getRun',
    summary: 'One run: its steps, what it waits for, who did what.',
    params,
    answers: { 200: answers.runDetails },
    handle: async ({ caller, params: { run } }) => runDetails(await viewRun(caller, await idOf(caller, run))),
  });
  add({
    method: 'GET',
    url: '/runs/:run/items',
    operationId: 'listRunItems',
    summary: 'The items of a run that have ended, and what came of each.',
    params,
    query: z.strictObject({
      step: z.string().optional(),
      state: z.enum(['done', 'failed', 'refused', 'cancelled', 'not-started']).optional(),
    }),
    answers: { 200: listOf(z.looseObject({ step: z.string(), label: z.string(), state: z.string() })) },
    async handle({ caller, params: { run }, query }) {
      const { id } = await viewRun(caller, await idOf(caller, run));
      return { items: (await listRunItems(caller.inventory, id, query)).map(runItem) };
    },
  });
  for (const action of ['approve', 'reject'] as const)
    add({
      method: 'POST',
      url: `/runs/:run/${action}`,
      operationId: `${action}Run`,
      summary: `${action === 'approve' ? 'Approve' : 'Reject'} what a run waits for; for persons.`,
      params,
      body: decision,
      answers: { 200: answers.said },
      handle: async ({ caller, params: { run }, body }) =>
        decide(caller, await idOf(caller, run), { action, ...body }),
    });
  for (const action of ['pause', 'resume'] as const)
    add({
      method: 'POST',
      url: `/runs/:run/${action}`,
      operationId: `${action}Run`,
      summary: action === 'pause' ? 'What is under way ends, nothing new begins.' : 'Go on after a pause.',
      params,
      body: z.strictObject({ comment }),
      answers: { 200: answers.said },
      handle: async ({ caller, params: { run }, body }) =>
        askRun(caller, await idOf(caller, run), { action, ...body }),
    });
  add({
    method: 'POST',
    url: '/runs/:run/cancel',
    operationId: 'cancelRun',
    summary: 'Cancel a run, and take back what its runbook says.',
    params,
    body: z.strictObject({ undo: z.boolean().default(true).describe('false: take nothing back.'), comment }),
    answers: { 200: answers.said },
    handle: async ({ caller, params: { run }, body }) =>
      askRun(caller, await idOf(caller, run), { action: 'cancel', ...body }),
  });
  add({
    method: 'POST',
    url: '/runs/:run/retry',
    operationId: 'retryRun',
    summary: 'Try a run again where it had trouble, without what it achieved.',
    params,
    query: z.strictObject({ dryRun }),
    body: z.strictObject({ force: z.boolean().default(false) }),
    answers: {
      202: answers.startedRun,
      200: z.looseObject({ retryOf: z.string(), runbook: z.string(), steps: z.array(z.looseObject({})) }),
    },
    async handle({ caller, params: { run }, query, body: { force } }) {
      if (!query.dryRun) mayOperate(caller);
      const prepared = await prepareRetry(caller, await idOf(caller, run));
      const { plan, inputs, retry, steps } = prepared;
      if (query.dryRun)
        return new Answer(200, { retryOf: retry.of, runbook: plan.name, digest: plan.digest, inputs, steps });
      const started = await startRun(caller, prepared, { force, retry });
      return startedAnswer(caller, started, { retryOf: retry.of });
    },
  });
}
