/** What stands in the way of an operation: another one on the same instance or host. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../model/errors.js';
import type { Caller } from './caller.js';
import { urlOf } from './caller.js';
import { asDroverError } from './failures.js';
import type { Asked } from './ask.js';
import { progressOf } from './progress.js';

/** `wait` for the running operation, or `cancel` it; then the asked one starts. */
export interface WhenBusy {
  way: 'wait' | 'cancel';
  signal?: AbortSignal | undefined;
  timeoutSeconds?: number | undefined;
}

const pollMs = 500;

export async function busyError(caller: Caller, workflowId: string, asked: Asked): Promise<DroverError> {
  const { label, operation } = asked;
  const code = operation.target === 'host' ? 'HostBusy' : 'InstanceBusy';
  const temporal = await caller.temporal();
  const running = await progressOf(temporal, workflowId).catch(() => undefined);
  const url = urlOf(temporal, workflowId);
  if (!running?.running) {
    return new DroverError(code, `${label} was busy with another operation, which has just ended`, {
      details: { workflowId },
      hint: 'try again',
    });
  }
  const kind = running.type.replace(/^(instance|host)\./, '');
  const by = running.by === null ? '' : `, by ${running.by}`;
  const follow =
    operation.target === 'host'
      ? 'try again in a moment'
      : `follow it with \`drover instance watch ${label}\`, or cancel it with \`drover instance cancel ${label}\``;
  const message = `${label} is busy: ${kind} runs on it since ${running.startedAt}${by} (workflow ${workflowId})`;
  return new DroverError(code, message, {
    details: { operation: kind, since: running.startedAt, by: running.by, workflowId, workflowUrl: url },
    hint: url === null ? follow : `${follow}; ${url}`,
  });
}

/** Returns once nothing runs on the subject; throws InstanceBusy when the time is over before that. */
export async function settleRunning(
  caller: Caller,
  workflowId: string,
  asked: Asked,
  { way, signal, timeoutSeconds }: WhenBusy,
): Promise<void> {
  const deadline = timeoutSeconds === undefined ? Infinity : Date.now() + timeoutSeconds * 1000;
  const temporal = await caller.temporal();
  const { type } = await progressOf(temporal, workflowId);
  caller.say(
    `${asked.label} is busy with ${type}: ${way === 'cancel' ? 'cancelling it' : 'waiting for it'} first`,
  );
  if (way === 'cancel') {
    await temporal.client.workflow
      .getHandle(workflowId)
      .cancel()
      .catch((error: unknown) => ended(error, type));
  }
  while ((await progressOf(temporal, workflowId)).running) {
    if (Date.now() > deadline || signal?.aborted) throw await busyError(caller, workflowId, asked);
    await sleep(pollMs);
  }
}

/** A cancel that came too late is as good as one that worked. */
function ended(error: unknown, type: string): void {
  const told = asDroverError(error, type);
  if (told.code !== 'NotFound') throw told;
}
