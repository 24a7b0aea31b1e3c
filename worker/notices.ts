/** Tells receivers what happened, by signed webhook. A receiver that hangs or fails delays nobody else, and no work at all. */
import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Inventory } from '../activities/inventory/database.js';
import {
  knowReceivers,
  lookedUntil,
  putNotices,
  settleNotice,
  takeNotices,
  type NewNotice,
} from '../activities/inventory/notices.js';
import { getRun } from '../activities/inventory/runs.js';
import { post } from '../config/webhook.js';
import { runWorkflowId } from '../model/addresses.js';
import { waitingForApproval } from '../model/search-attributes.js';
import type { Happened, NoticeBody, Receiver } from '../model/notice.js';
import { progressIn, type ProgressAnswer } from '../model/run.js';
import { workflowUrl } from '../temporal/workflow-url.js';
import { again, type Log } from './again.js';
import { approvalNeeded, happenedSince } from './notices-found.js';

export interface Telling {
  client: Client;
  inventory: Inventory;
  cloud: string;
  receivers: readonly Receiver[];
  /** The Temporal UI, as far as its address is known. */
  uiUrl: string | undefined;
  namespace: string;
  env: Readonly<Record<string, string | undefined>>;
}

const lookEveryMs = 2000;
/** What is read again at each look: a record that was written late, or by a clock that goes wrong. */
const overlapMs = 10 * 60_000;
const markEveryMs = 60_000;
const atOnce = 4;
const askMs = 10_000;

/** Until `ended`. */
export async function tellReceivers(telling: Telling, log: Log, ended: AbortSignal): Promise<void> {
  const keep = (work: () => Promise<unknown>, what: string) =>
    again(work, { everyMs: lookEveryMs, what, log }, ended);
  await Promise.all([
    keep(() => findNotices(telling), 'what happened could not be read for notices'),
    ...telling.receivers.map((receiver) =>
      keep(() => sendDue(telling, receiver), `notices to ${receiver.name}`),
    ),
  ]);
}

/** One look: rows for all that happened since each receiver was looked for last. */
export async function findNotices(telling: Telling): Promise<void> {
  const { inventory, cloud, receivers } = telling;
  const looked = inventory.now();
  const names = receivers.map(({ name }) => name);
  const since = await knowReceivers(inventory, names);
  const from = names.map((name) => since.get(name) ?? looked).toSorted()[0] ?? looked;
  await put(telling, since, await happenedSince(inventory, cloud, from));
  // Only now: what was not written is found again, however long nobody looked. Now and then: it takes the write lock.
  const until = Date.parse(looked) - overlapMs;
  if (until - Date.parse(from) > markEveryMs)
    await lookedUntil(inventory, names, new Date(until).toISOString());
  // What waits is found again at each look; Temporal or a run that does not answer keeps nothing else from being told.
  await put(telling, since, await approvals(telling));
}

const put = (
  telling: Telling,
  since: ReadonlyMap<string, string>,
  happened: readonly Happened[],
): Promise<void> =>
  putNotices(
    telling.inventory,
    telling.receivers.flatMap((receiver) =>
      happened
        .filter((one) => one.at >= (since.get(receiver.name) ?? one.at) && wants(receiver, one))
        .map((one) => noticeOf(telling, receiver, one)),
    ),
  );

const wants = ({ events, runbooks }: Receiver, { event, subject }: Happened): boolean =>
  events.includes(event) &&
  (runbooks === null || (subject.type === 'run' && runbooks.includes(subject.name)));

/** Runs that wait for people: Temporal knows which, and each itself for what. */
async function approvals({ client, inventory, cloud, receivers }: Telling): Promise<Happened[]> {
  if (!receivers.some(({ events }) => events.includes('approval-needed'))) return [];
  const prefix = runWorkflowId(cloud, '');
  const found: Happened[] = [];
  const ids: string[] = [];
  await client.withDeadline(Date.now() + askMs, async () => {
    for await (const { workflowId } of client.workflow.list({ query: waitingForApproval }))
      ids.push(workflowId);
  });
  for (const workflowId of ids.filter((id) => id.startsWith(prefix))) {
    try {
      const run = await getRun(inventory, workflowId.slice(prefix.length));
      const handle = client.workflow.getHandle(workflowId);
      const answer = await client.withDeadline(Date.now() + askMs, () =>
        handle.query<ProgressAnswer>('progress'),
      );
      found.push(...approvalNeeded(run, progressIn(answer).steps, cloud));
    } catch {
      // The others are told; this one is asked again at the next look.
    }
  }
  return found;
}

function noticeOf({ cloud, uiUrl, namespace }: Telling, { name }: Receiver, happened: Happened): NewNotice {
  const { occurrence, workflowId, ...told } = happened;
  const id = createHash('sha256')
    .update(JSON.stringify([cloud, name, told.event, told.subject.id, occurrence]))
    .digest('hex')
    .slice(0, 32);
  const url = uiUrl === undefined ? null : workflowUrl(uiUrl, namespace, workflowId);
  const body: NoticeBody = { id, ...told, cloud, url };
  return { id, receiver: name, event: told.event, subject: told.subject.id, body: JSON.stringify(body) };
}

/** All that is due to one receiver, a few at a time. */
export async function sendDue({ inventory, env }: Telling, receiver: Receiver): Promise<void> {
  for (;;) {
    const due = await takeNotices(inventory, receiver.name, atOnce);
    if (due.length === 0) return;
    await Promise.all(
      due.map(async (notice) => settleNotice(inventory, notice, await post(receiver, notice, env))),
    );
  }
}
