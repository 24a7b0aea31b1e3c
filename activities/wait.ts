import { DroverError } from '../model/errors.js';
import { systemClock, type Clock } from './clock.js';
import type { Implement, WaitActivities } from './types.js';

export interface WaitDeps {
  /** The newest run with this workflow id; null when there was never one. */
  describe: (workflowId: string) => Promise<{ open: boolean; type: string } | null>;
  /** Between two looks, in ms; default 1 000. */
  pollMs?: number;
  clock?: Clock;
}

/** Waits in an activity that heartbeats, not in a workflow: a timer there costs a second and history each time. */
export function createWaitActivities({
  describe,
  pollMs = 1000,
  clock = systemClock,
}: WaitDeps): Implement<WaitActivities> {
  return {
    async waitForWorkflow({ workflowId, seconds }, call) {
      const until = clock.now() + seconds * 1000;
      for (;;) {
        const found = await describe(workflowId);
        if (found === null || !found.open) return { free: true, holder: null };
        if (clock.now() >= until) return { free: false, holder: found.type };
        call.heartbeat({ phase: 'waiting', holder: found.type });
        await clock.sleep(Math.min(pollMs, Math.max(0, until - clock.now())), call.signal);
        if (!call.signal.aborted) continue;
        if (call.cancelRequested())
          throw new DroverError('Cancelled', `cancelled while waiting for ${workflowId}`);
        throw new DroverError('Internal', `stopped waiting for ${workflowId}; the next attempt goes on`, {
          cause: call.signal.reason,
        });
      }
    },
  };
}
