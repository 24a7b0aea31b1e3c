import { randomUUID } from 'node:crypto';
import { getHost, listHosts } from '../activities/inventory/hosts.js';
import { fenceCheckOf } from '../activities/inventory/fence-checks.js';
import { fenceCheckWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { CheckedHost } from '../model/fence-check.js';
import type { FenceCheckOrder } from '../workflows/fence-check.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import type { Caller } from './caller.js';
import { follow } from './follow.js';
import { startWorkflow } from './start.js';

/** Asks the devices now, by the recovery workers, which alone know their secrets. `host` null for all hosts. */
export async function checkFences(caller: Caller, host: string | null): Promise<CheckedHost[]> {
  const names = host === null ? null : [(await getHost(caller.inventory, host)).name];
  const argument: FenceCheckOrder = { hosts: names };
  const workflowId = `${fenceCheckWorkflowId(caller.cloud)}/${randomUUID()}`;
  const what = `the check of ${host === null ? 'all fence devices' : `the fence devices of ${host}`}`;
  const runId = await startWorkflow(caller, {
    type: 'fence-check',
    workflowId,
    argument,
    summary: what,
    attributes: searchAttributesOf({
      cloud: caller.cloud,
      operation: null,
      subject: null,
      runbook: null,
      host,
    }),
    memo: { label: host ?? 'all hosts', by: caller.identity.name },
  });
  const hosts = await listHosts(caller.inventory);
  // An agent that hangs is given up after a minute at most.
  const timeoutSeconds = 120 + (names === null ? 15 * hosts.length : 0);
  const answer = await follow(caller, { workflowId, runId, what }, { timeoutSeconds });
  if (!answer.ended) {
    throw new DroverError('TimedOut', `${what} did not end within ${timeoutSeconds} s`, {
      hint: 'see with `drover doctor` whether a worker serves recoveries',
    });
  }
  return Promise.all(
    hosts
      .filter(({ name }) => names === null || names.includes(name))
      .map(async ({ name, state }) => ({
        host: name,
        up: state === 'up',
        devices: (await fenceCheckOf(caller.inventory, name))?.devices ?? [],
      })),
  );
}
