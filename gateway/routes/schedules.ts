import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  getSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
} from '../../client/schedules.js';
import type { Gateway } from '../gateway.js';
import { routesOf } from '../route.js';
import { said, schedule } from '../schemas/answers.js';
import { comment, listOf, named } from '../schemas/common.js';

const params = z.strictObject({
  schedule: named.describe('Its name; RUNBOOK.NAME for one in the file of a runbook.'),
});

export function register(app: FastifyInstance, gateway: Gateway): void {
  const add = routesOf(app, gateway, 'schedules');
  const { folders } = gateway;
  add({
    method: 'GET',
    url: '/schedules',
    operationId: 'listSchedules',
    summary: 'Schedules of runbooks: their next times, and what came of the last.',
    answers: { 200: listOf(schedule) },
    handle: async ({ caller }) => ({ items: await listSchedules(caller, folders) }),
  });
  add({
    method: 'GET',
    url: '/schedules/:schedule',
    operationId: 'getSchedule',
    summary: 'One schedule.',
    params,
    answers: { 200: schedule },
    handle: ({ caller, params: { schedule: name } }) => getSchedule(caller, name, folders),
  });
  for (const [action, work, summary] of [
    ['pause', pauseSchedule, 'No more times come, until it is resumed.'],
    ['resume', resumeSchedule, 'Let a schedule go on after a pause.'],
  ] as const)
    add({
      method: 'POST',
      url: `/schedules/:schedule/${action}`,
      operationId: `${action}Schedule`,
      summary,
      params,
      body: z.strictObject({ comment }),
      answers: { 200: said },
      handle: ({ caller, params: { schedule: name }, body }) => work(caller, name, body.comment),
    });
  add({
    method: 'POST',
    url: '/schedules/:schedule/trigger',
    operationId: 'triggerSchedule',
    summary: 'Start what a schedule runs, now.',
    params,
    answers: { 202: said },
    handle: ({ caller, params: { schedule: name } }) => triggerSchedule(caller, name, folders),
  });
}
