import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readSwitches } from '../../activities/recovery/switches.js';
import { answerIncident, cancelIncident } from '../../client/incident-asks.js';
import { getIncidentView, listIncidentViews } from '../../client/incidents.js';
import { turnRecovery } from '../../client/recovery-mode.js';
import { recoveryModes } from '../../model/incident.js';
import type { Gateway } from '../gateway.js';
import { routesOf } from '../route.js';
import * as answers from '../schemas/answers.js';
import { comment, flag, listOf, named } from '../schemas/common.js';

const params = z.strictObject({
  incident: named.describe('Id of the incident, its first characters (at least 4), or the name of its host.'),
});

const summaries = {
  approve: 'Approve what a recovery asks for: a fence, or to pass the storm brake; for administrators.',
  reject: 'Reject what a recovery asks for: it ends, and the host is left alone.',
  attest: 'Say that a host is off, where nothing else proves it; for administrators. Look at the host first.',
};

export function register(app: FastifyInstance, gateway: Gateway): void {
  const add = routesOf(app, gateway, 'incidents');
  add({
    method: 'GET',
    url: '/incidents',
    operationId: 'listIncidents',
    summary: 'Incidents of hosts, newest first.',
    query: z.strictObject({
      open: flag.describe('true: only those that have not ended.'),
      host: z.string().optional(),
    }),
    answers: { 200: listOf(answers.incident) },
    async handle({ caller, query: { open, host } }) {
      const by = { ...(open ? { open: true as const } : {}), ...(host === undefined ? {} : { host }) };
      return { items: await listIncidentViews(caller.inventory, by) };
    },
  });
  add({
    method: 'GET',
    url: '/incidents/:incident',
    operationId: 'getIncident',
    summary: 'One incident: what was seen, what proves that the host is off, its instances, its log.',
    params,
    answers: { 200: answers.incident },
    handle: ({ caller, params: { incident } }) => getIncidentView(caller.inventory, incident),
  });
  for (const action of ['approve', 'reject', 'attest'] as const)
    add({
      method: 'POST',
      url: `/incidents/:incident/${action}`,
      operationId: `${action}Incident`,
      summary: summaries[action],
      params,
      body: z.strictObject({ comment }),
      answers: { 200: answers.said },
      handle: async ({ caller, params: { incident }, body }) =>
        answerIncident(caller, await getIncidentView(caller.inventory, incident), action, body.comment),
    });
  add({
    method: 'POST',
    url: '/incidents/:incident/cancel',
    operationId: 'cancelIncident',
    summary: 'End a recovery: what is fenced stays so, what is on its way ends by itself.',
    params,
    answers: { 202: answers.said },
    async handle({ caller, params: { incident } }) {
      const found = await getIncidentView(caller.inventory, incident);
      await cancelIncident(caller, found);
      return { said: `the recovery of ${found.host} ends` };
    },
  });
  add({
    method: 'GET',
    url: '/recovery',
    operationId: 'getRecoveryMode',
    summary: 'What recoveries may do now, for the fleet and each zone.',
    answers: {
      200: z.looseObject({ fleet: answers.recoverySwitch, zones: z.array(answers.recoverySwitch) }),
    },
    handle: ({ caller }) => readSwitches(caller.inventory),
  });
  add({
    method: 'POST',
    url: '/recovery',
    operationId: 'setRecoveryMode',
    summary: 'Turn a switch of recovery; for administrators.',
    body: z.strictObject({
      mode: z.enum(recoveryModes),
      zone: z.string().nullable().default(null).describe('null for the fleet.'),
      for: z.string().optional().describe('Then what was before holds again, such as 2h.'),
      reason: z.string().max(1000).optional().describe('Needed for all but armed.'),
    }),
    answers: { 200: answers.recoverySwitch },
    handle: ({ caller, body }) => turnRecovery(caller, body),
  });
}
