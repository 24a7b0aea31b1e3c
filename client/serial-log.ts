import { randomUUID } from 'node:crypto';
import type { Caller } from './caller.js';
import { getHost } from '../activities/inventory/hosts.js';
import { workPlace } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { follow } from './follow.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import { startWorkflow } from './start.js';

export interface SerialLog {
  text: string;
  /** The whole length of the log. */
  bytes: number;
}

const limitSeconds = 45;

/** The end of a guest's serial log, read by the worker of its host. Throws HostWorkerMissing. */
export async function readSerialLog(
  caller: Caller,
  ask: { host: string; path: string; tailBytes: number; label: string },
): Promise<SerialLog> {
  const { label, ...rest } = ask;
  const argument = { ...rest, host: workPlace(await getHost(caller.inventory, ask.host)) };
  const workflowId = `${caller.cloud}/serial-log/${randomUUID()}`;
  const what = `the serial log of ${label}`;
  const runId = await startWorkflow(caller, {
    type: 'read-serial-log',
    workflowId,
    argument,
    summary: `read ${what}`,
    attributes: searchAttributesOf({
      cloud: caller.cloud,
      operation: null,
      subject: null,
      runbook: null,
      host: ask.host,
    }),
    memo: { label, by: caller.identity.name },
  });
  const answer = await follow(caller, { workflowId, runId, what }, { timeoutSeconds: limitSeconds });
  if (answer.ended) return answer.result as SerialLog;
  throw new DroverError('TimedOut', `${what} was not read within ${limitSeconds} s`, {
    hint: 'see with `drover doctor` whether a worker runs',
  });
}
