import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { runbookCatalogue } from '../../client/catalogue.js';
import { planRun } from '../../client/plan-run.js';
import { prepareRun, startRun } from '../../client/runs.js';
import { checkFiles, listRunbooks, loadRunbook } from '../../runbooks/language/load.js';
import type { Gateway } from '../gateway.js';
import { idOf } from '../idempotency.js';
import { Answer, routesOf } from '../route.js';
import { startedAnswer } from '../run-answer.js';
import * as answers from '../schemas/answers.js';
import { dryRun, listOf } from '../schemas/common.js';

/** By its name alone: no path leads to a file of the gateway's machine. */
const params = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, {
    error: 'must be the name of a runbook in the folders of the gateway',
  }),
});

export function register(app: FastifyInstance, gateway: Gateway): void {
  const add = routesOf(app, gateway, 'runbooks');
  const { folders } = gateway;
  add({
    method: 'GET',
    url: '/runbooks',
    operationId: 'listRunbooks',
    summary: 'The runbooks that can be started by name.',
    answers: { 200: listOf(answers.runbook) },
    async handle() {
      const found = await listRunbooks(folders, runbookCatalogue());
      const items = found.map(({ name, runbook, issues }) => ({
        name,
        description: runbook?.description ?? null,
        inputs: runbook?.inputs ?? {},
        on: runbook?.on ?? {},
        permissions: runbook?.permissions ?? null,
        valid: issues.length === 0,
        issues: issues.map(({ line, column, path, message, hint }) => ({
          line,
          column,
          path,
          message,
          hint,
        })),
      }));
      return { items };
    },
  });
  add({
    method: 'GET',
    url: '/runbooks/:name',
    operationId: 'getRunbook',
    summary: 'One runbook: its inputs, steps, what starts it, who may.',
    params,
    answers: { 200: z.looseObject({ name: z.string(), digest: z.string() }) },
    async handle({ params: { name } }) {
      const { runbook, digest, runbooks = {} } = await loadRunbook(name, folders, runbookCatalogue());
      return { ...runbook, digest, uses: Object.keys(runbooks).toSorted() };
    },
  });
  add({
    method: 'POST',
    url: '/runbook-checks',
    operationId: 'checkRunbook',
    summary: 'Check the text of a runbook: each mistake with line and column. Nothing is stored.',
    body: z.strictObject({ source: z.string().max(500_000).describe('YAML') }),
    answers: {
      200: z.looseObject({ valid: z.boolean(), issues: z.array(z.looseObject({ message: z.string() })) }),
    },
    async handle({ body: { source } }) {
      const [issues = []] = await checkFiles([{ file: 'runbook.yaml', source }], folders, runbookCatalogue());
      return { valid: issues.length === 0, issues };
    },
  });
  add({
    method: 'POST',
    url: '/runbooks/:name/runs',
    operationId: 'startRun',
    summary: 'Start a run; with dryRun=true tell what it would do.',
    params,
    query: z.strictObject({ dryRun }),
    body: z.strictObject({
      inputs: z.record(z.string(), z.unknown()).default({}),
      force: z.boolean().default(false).describe('Work also on what is locked; for administrators.'),
    }),
    answers: { 202: answers.startedRun, 200: answers.plan },
    async handle({ caller, params: { name }, query, body: { inputs, force }, request }) {
      const prepared = await prepareRun(caller, { runbook: name, folders, inputs });
      const { plan } = prepared;
      if (query.dryRun)
        return new Answer(200, {
          digest: plan.digest,
          inputs: prepared.inputs,
          ...(await planRun(caller, prepared)),
        });
      const started = await startRun(caller, prepared, { force, id: idOf(request) });
      return startedAnswer(caller, started);
    },
  });
}
