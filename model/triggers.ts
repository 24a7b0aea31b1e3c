/** What starts a runbook by itself: `on`. */
import { z } from 'zod';
import { durationSchema } from './duration.js';

const inputs = z
  .record(z.string(), z.unknown())
  .default({})
  .describe('The inputs of the run. Values may hold expressions ${{ … }}.');

const alertTriggerSchema = z.strictObject({
  labels: z
    .record(z.string().min(1), z.string().min(1))
    .refine((labels) => Object.keys(labels).length > 0, { error: 'must name at least one label' })
    .describe('The labels that an alert must have, each with exactly this value: { alertname: HostDown }.'),
  inputs: inputs.describe(
    'The inputs of the run, from the alert: alert.labels, alert.annotations, alert.starts_at, alert.fingerprint.',
  ),
});

/** A runbook's answer to an alert. */
export type AlertTrigger = z.infer<typeof alertTriggerSchema>;

const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time of day, such as 22:00' });

const windowSchema = z
  .strictObject({
    days: z
      .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
      .min(1)
      .optional()
      .describe('The days on which it opens. Default: every day.'),
    from: clock.describe('When it opens, in the time zone of the schedule.'),
    to: clock.describe('When it closes; at or before `from`: on the next day.'),
  })
  .describe('A maintenance window: outside of it the run is not started.');

export type MaintenanceWindow = z.infer<typeof windowSchema>;

export const scheduleSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/, {
        error: 'must begin with a small letter and go on with small letters, digits and -',
      })
      .describe('Tells it from other schedules of the same runbook.'),
    cron: z
      .string()
      .min(1)
      .optional()
      .describe('Five fields: "0 3 * * sun". Day of the month and weekday must both hold.'),
    every: durationSchema.optional().describe('Instead of cron: 6h.'),
    timezone: z.string().min(1).default('UTC').describe('Of cron and window: Europe/Berlin. Default: UTC.'),
    jitter: durationSchema.optional().describe('Each start is put off by up to so long, at random.'),
    overlap: z
      .enum(['skip', 'buffer-one', 'cancel-other', 'allow-all'])
      .default('skip')
      .describe('What happens when the run before still goes on. Default: skip.'),
    'catch-up': durationSchema
      .default('1m')
      .describe('How late a start may be made up for after an outage. Default: 1m.'),
    window: windowSchema.optional(),
    inputs,
  })
  .refine((one) => (one.cron === undefined) !== (one.every === undefined), {
    error: 'must have either cron or every',
  });

/** When a runbook runs by itself. */
export type ScheduleTrigger = z.infer<typeof scheduleSchema>;

export const triggersSchema = z
  .strictObject({
    alert: z
      .array(alertTriggerSchema)
      .min(1)
      .optional()
      .describe(
        'Alerts that start it, as the gateway gets them from Alertmanager. The first that matches counts.',
      ),
    schedule: z.array(scheduleSchema).min(1).optional().describe('Times at which it is started.'),
  })
  .describe('What starts the runbook by itself.');
