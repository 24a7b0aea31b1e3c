/** Times of schedules, for their histories. */
import type { ScheduledOrder } from '../../model/schedule.js';
import { scheduleSchema } from '../../model/triggers.js';
import { begin, beginOther } from '../temporal/site.js';
import { ending, type Scenario } from './stage.js';

const time =
  (runbook: string, end: string): Scenario =>
  async ({ site }) => {
    const trigger = scheduleSchema.parse({ name: 'night', cron: '0 3 * * *', inputs: { host: 'h1' } });
    const order: ScheduledOrder = { schedule: 'night', runbook, trigger, by: null };
    return ending(await beginOther(site, 'scheduled-run', 'schedule/night-2026-11-23T03:00:00Z', order), end);
  };

export const scheduleScenarios: Record<string, Scenario> = {
  'scheduled-run.succeeded': time('undrain', 'done'),
  'scheduled-run.failed': time('nobody', 'NotFound'),
  'scheduled-run.skipped': async (stage) => {
    const input = { host: 'h1', for: '2h', reason: 'test' };
    await ending(await begin(stage.site, 'host.maintenance', input), 'done');
    return time('undrain', 'done')(stage);
  },
};
