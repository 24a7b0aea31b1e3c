/** Waits for a workflow, whatever happens to Temporal, to the worker and to the workflow's run meanwhile. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowFailedError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { TerminatedFailure } from '@temporalio/common';
import { asDroverError, isAway } from './failures.js';
import type { Caller } from './caller.js';

export interface Followed {
  workflowId: string;
  /** The run to follow; the latest when it is not known. */
  runId?: string | undefined;
  /** For messages: `live-migrate of web-1`. */
  what: string;
}

export interface FollowOptions {
  /** Stops the waiting, not the work. */
  signal?: AbortSignal | undefined;
  timeoutSeconds?: number | undefined;
  /** What the records say while Temporal is away: an answer there ends the waiting. */
  recorded?: () => Promise<Ended | undefined>;
}

/** `ended: false`: it still runs, the time or the patience of who waited is over. */
export type Ended = { ended: true; result: unknown } | { ended: false };

const retryMs = 1000;

/** Throws what the workflow threw, as a DroverError. */
export async function follow(caller: Caller, target: Followed, options: FollowOptions = {}): Promise<Ended> {
  const limit =
    options.timeoutSeconds === undefined ? [] : [AbortSignal.timeout(options.timeoutSeconds * 1000)];
  const signal = AbortSignal.any([...(options.signal ? [options.signal] : []), ...limit]);
  // The client asks anew for as long as it waits, and each question listens.
  setMaxListeners(0, signal);
  const { client } = await caller.temporal();
  let handle = client.workflow.getHandle(target.workflowId, target.runId);
  let told = false;
  while (!signal.aborted) {
    try {
      const result: unknown = await client.withAbortSignal(signal, () => handle.result());
      return { ended: true, result };
    } catch (error) {
      if (signal.aborted) break;
      if (isAway(error)) {
        const recorded = await options.recorded?.();
        if (recorded) return recorded;
        if (!told)
          caller.say(
            `Temporal does not answer; ${target.what} is not lost, waiting for Temporal to come back`,
          );
        told = true;
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
        continue;
      }
      const next = await successor(handle, error);
      if (next === undefined) throw asDroverError(error, target.what);
      caller.say(`the workflow of ${target.what} was reset from outside; following its new run ${next}`);
      handle = client.workflow.getHandle(target.workflowId, next);
    }
  }
  return { ended: false };
}

/** A reset terminates the run and begins another one of the same chain: that one is to be followed. */
async function successor(handle: WorkflowHandle, error: unknown): Promise<string | undefined> {
  if (!(error instanceof WorkflowFailedError && error.cause instanceof TerminatedFailure)) return undefined;
  const ended = await handle.describe();
  const latest = await handle.client.getHandle(handle.workflowId).describe();
  const same = firstRunOf(latest) === firstRunOf(ended);
  return same && latest.runId !== ended.runId ? latest.runId : undefined;
}

const firstRunOf = (found: WorkflowExecutionDescription) => found.raw.workflowExecutionInfo?.firstRunId;
