import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** What all attempts together may take: a busy machine may have a step parked for long. */
const patient = '10m';

/**
 * `attemptMs`: what an attempt may take, and how long nothing may be heard of a long one. `missing`: how long a task
 * may wait for the worker of a host, where another time than the shipped one is wanted.
 */
export const shortLimits =
  ({ attemptMs, missing }: { attemptMs: number; missing?: '10m' }): WorkflowInterceptorsFactory =>
  () => ({
    outbound: [
      {
        scheduleActivity(input, next) {
          const { heartbeatTimeout, scheduleToCloseTimeout, scheduleToStartTimeout } = input.options;
          const limit =
            heartbeatTimeout === undefined
              ? { startToCloseTimeout: attemptMs }
              : { heartbeatTimeout: attemptMs };
          const all = {
            ...(scheduleToCloseTimeout ? { scheduleToCloseTimeout: patient } : {}),
            ...(scheduleToStartTimeout && missing ? { scheduleToStartTimeout: missing } : {}),
          } as const;
          return next({ ...input, options: { ...input.options, ...limit, ...all } });
        },
      },
    ],
  });
