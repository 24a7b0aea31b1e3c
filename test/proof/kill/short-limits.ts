/** Built into the workflows of this test: what died is tried again within seconds, not after the minute that it may take. */
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** What all attempts together may take: a busy machine may have a step parked for long. */
const patient = '10m';
/** Above the pace at which a long activity beats. */
const shortMs = 6_000;

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        const { heartbeatTimeout, scheduleToCloseTimeout, scheduleToStartTimeout } = input.options;
        const limit =
          heartbeatTimeout === undefined ? { startToCloseTimeout: shortMs } : { heartbeatTimeout: shortMs };
        const all = {
          ...(scheduleToCloseTimeout === undefined ? {} : { scheduleToCloseTimeout: patient }),
          ...(scheduleToStartTimeout === undefined ? {} : { scheduleToStartTimeout: patient }),
        } as const;
        return next({ ...input, options: { ...input.options, ...limit, ...all } });
      },
    },
  ],
});
