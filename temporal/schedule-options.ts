/** A schedule of a runbook as Temporal is told of it. */
import { ScheduleOverlapPolicy, type ScheduleOptions } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { scheduleId } from '../model/addresses.js';
import { parseDuration } from '../model/duration.js';
import type { ScheduledOrder } from '../model/schedule.js';
import type { ScheduleTrigger } from '../model/triggers.js';

const overlaps: Record<ScheduleTrigger['overlap'], ScheduleOverlapPolicy> = {
  skip: ScheduleOverlapPolicy.SKIP,
  'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE,
  'cancel-other': ScheduleOverlapPolicy.CANCEL_OTHER,
  'allow-all': ScheduleOverlapPolicy.ALLOW_ALL,
};

export function scheduleOptions(
  order: ScheduledOrder,
  { cloud, queue, attributes }: { cloud: string; queue: string; attributes: SearchAttributePair[] | null },
): ScheduleOptions {
  const { cron, every, timezone, jitter, overlap, 'catch-up': catchUp } = order.trigger;
  const ms = (duration: string): number => (parseDuration(duration) ?? 0) * 1000;
  const id = scheduleId(cloud, order.schedule);
  return {
    scheduleId: id,
    spec: {
      ...(cron === undefined ? {} : { cronExpressions: [cron] }),
      ...(every === undefined ? {} : { intervals: [{ every: ms(every) }] }),
      ...(jitter === undefined ? {} : { jitter: ms(jitter) }),
      timezone,
    },
    policies: { overlap: overlaps[overlap], catchupWindow: ms(catchUp) },
    action: {
      type: 'startWorkflow',
      workflowType: 'scheduled-run',
      workflowId: id,
      taskQueue: queue,
      args: [order],
      memo: {
        label: order.runbook,
        by: `schedule ${order.schedule}`,
        ...(attributes === null ? { searchable: false } : {}),
      },
      ...(attributes === null ? {} : { typedSearchAttributes: attributes }),
      staticSummary: `${order.runbook}, by the schedule ${order.schedule}`,
    },
  };
}
