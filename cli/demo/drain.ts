/** A host is drained, and one of the two workers is killed in the middle of it. */
import { getInstance } from '../../activities/inventory/instances.js';
import { prepareRun, startRun } from '../../client/runs.js';
import type { RunView } from '../../client/run-view.js';
import { watchRun } from '../../client/watch-run.js';
import { instanceWorkflowId } from '../../model/addresses.js';
import { paint } from '../paint.js';
import { runEnd, runTeller } from '../run-lines.js';
import { guestsOf } from './judge.js';
import type { Stage } from './stage.js';
import { Unexpected, type Teller } from './tell.js';

const everyMs = 250;

export async function drainAct(stage: Stage, tell: Teller, host: string): Promise<void> {
  const { caller } = stage;
  tell.act(`drover empties ${host}: drover host drain ${host} --parallel 4`);
  const prepared = await prepareRun(caller, {
    runbook: 'drain-host',
    folders: [],
    inputs: { host, parallel: 4 },
  });
  const run = await startRun(caller, prepared);
  const linesOf = runTeller();
  let orphaned: string[] = [];
  let last: RunView | undefined;
  for await (const look of watchRun(caller, run.id, { everyMs })) {
    for (const line of linesOf(look)) tell.line(line);
    last = look.view;
    if (orphaned.length === 0 && last.running.some(({ phase }) => phase === 'moving')) {
      orphaned = await killWorker(stage, tell, { workflowId: run.workflowId, view: last });
    }
  }
  if (last?.state !== 'succeeded') throw new Unexpected(`the drain of ${host} ended as ${last?.state}`);
  if (orphaned.length === 0) throw new Unexpected('the drain was over before a worker could be killed');
  tell.line(runEnd(last));
  for (const label of orphaned) tell.line(await whoEndedIt(stage, label));
  const left = (await guestsOf(stage)).filter((guest) => guest.host === host);
  if (left.length > 0) throw new Unexpected(`${host} has still ${left.map(({ name }) => name).join(', ')}`);
  tell.say(`${host} is empty, says its hypervisor, and drover places nothing there any more.`);
}

/** One that follows migrations at this moment; answers whose, none when no worker does. */
async function killWorker(
  stage: Stage,
  tell: Teller,
  run: { workflowId: string; view: RunView },
): Promise<string[]> {
  const { caller, temporal } = stage;
  const followed = await Promise.all(
    run.view.running.map(async ({ label }) => {
      const { id } = await getInstance(caller.inventory, label);
      const handle = temporal.client.workflow.getHandle(instanceWorkflowId(caller.cloud, id));
      const { pendingActivities } = (await handle.describe()).raw;
      const moving = pendingActivities?.find(({ activityType }) => activityType?.name === 'migrateGuest');
      return { label, pid: pidOf(moving?.lastWorkerIdentity) };
    }),
  );
  const follows = (pid: number): string[] =>
    followed.filter((one) => one.pid === pid).map(({ label }) => label);
  // Either would do. The one that does not run the runbook as well lets us see what the other one goes on with.
  const steers = await workerOfWorkflow(stage, run.workflowId);
  const candidates = stage.workers().filter(({ pid }) => follows(pid).length > 0);
  const victim = candidates.find(({ pid }) => pid !== steers) ?? candidates[0];
  if (victim === undefined) return [];
  process.kill(victim.pid, 'SIGKILL');
  const { name, pid } = victim;
  tell.say(
    paint.yellow(`kill -9 ${pid}: ${name} is dead. It followed the moves of ${follows(pid).join(' and ')}.`),
  );
  tell.say(
    'The hypervisors go on without it, and so does the drain. Once Temporal has missed that worker for 10 s, another one\n' +
      'follows those moves.',
  );
  return follows(pid);
}

/** From Temporal's history of the move. */
async function whoEndedIt(stage: Stage, label: string): Promise<string> {
  const { caller, temporal } = stage;
  const { id } = await getInstance(caller.inventory, label);
  const handle = temporal.client.workflow.getHandle(instanceWorkflowId(caller.cloud, id));
  const events = (await handle.fetchHistory()).events ?? [];
  const moves = events.filter(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'migrateGuest',
  );
  const started = events
    .flatMap((event) => event.activityTaskStartedEventAttributes ?? [])
    .findLast((one) => moves.some(({ eventId }) => String(eventId) === String(one.scheduledEventId)));
  const pid = pidOf(started?.identity);
  const worker = stage.workers().find((one) => one.pid === pid)?.name ?? `pid ${pid}`;
  return `${label}: its move was followed to its end by ${worker}, in attempt ${started?.attempt ?? 1}`;
}

/** Which worker has a workflow in its memory: the one that took its last step. */
async function workerOfWorkflow({ temporal }: Stage, workflowId: string): Promise<number | undefined> {
  const { events = [] } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  const steps = (events ?? []).flatMap((event) => event.workflowTaskCompletedEventAttributes ?? []);
  return pidOf(steps.at(-1)?.identity);
}

/** Workers call themselves `pid@machine`. */
const pidOf = (identity: string | null | undefined): number | undefined =>
  identity ? Number(identity.split('@')[0]) : undefined;
