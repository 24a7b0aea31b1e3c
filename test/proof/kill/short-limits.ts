/** Built into the workflows of this test: what died is tried again within seconds, not after the minute that it may take. */
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Above the pace at which a long activity beats. */
const shortMs = 6_000;

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        const { heartbeatTimeout } = input.options;
        const limit =
          heartbeatTimeout === undefined ? { startToCloseTimeout: shortMs } : { heartbeatTimeout: shortMs };
        return next({ ...input, options: { ...input.options, ...limit } });
      },
    },
  ],
});
