/** Alertmanager's webhook: answered once what is to be done about each alert is where no crash loses it. */
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { Counter } from 'prom-client';
import { z } from 'zod';
import { AlertMemory, takeAlerts, type AlertAnswer } from '../../client/alerts.js';
import { DroverError } from '../../model/errors.js';
import type { Gateway } from '../gateway.js';
import { callerOf } from '../caller.js';
import { inputOf } from '../input.js';

const text = z.string().max(4096);
const texts = z.record(z.string().max(256), text);

/** Version 4 of Alertmanager's webhook, as far as it is used; what it says besides is left alone. */
const message = z.object({
  version: z.literal('4').optional(),
  truncatedAlerts: z.number().default(0),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: texts,
        annotations: texts.default({}),
        startsAt: z.iso.datetime({ offset: true }),
        fingerprint: z.string().min(1).max(128),
      }),
    )
    .max(1000),
});

export function register(app: FastifyInstance, gateway: Gateway, registry: Registry): void {
  const counted = new Counter({
    name: 'drover_alerts_total',
    help: 'Alerts that the gateway took, by what came of them',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const memory = new AlertMemory();
  app.post('/api/v1/alerts/alertmanager', async (request, reply) => {
    const { alerts, truncatedAlerts } = parsed(request.body);
    const { folders } = gateway;
    const answers = await takeAlerts(callerOf(gateway, request, 'alert'), alerts, { folders, memory });
    for (const { outcome } of answers) counted.inc({ outcome });
    for (const told of answers.filter(({ outcome }) => outcome === 'unmatched' || outcome === 'refused'))
      request.log.warn({ ...told }, 'nothing is done about an alert');
    if (truncatedAlerts > 0) request.log.warn({ truncatedAlerts }, 'Alertmanager left alerts out');
    const denied = answers.find(({ code }) => code === 'PermissionDenied');
    if (denied !== undefined && answers.every(isDenied))
      throw new DroverError('PermissionDenied', denied.says, {
        hint: 'make a token with --role automation, and see permissions.run of the runbook',
      });
    void reply.status(200);
    return { alerts: answers, truncated: truncatedAlerts };
  });
}

const isDenied = ({ code, outcome }: AlertAnswer): boolean =>
  code === 'PermissionDenied' || outcome === 'unmatched';

const parsed = (body: unknown): z.infer<typeof message> =>
  inputOf(message, body, {
    what: 'this is no message of Alertmanager: ',
    hint: 'send what its webhook sends, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config',
  });
