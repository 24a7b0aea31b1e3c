/** Follows an operation on the screen to its end, and tells what came of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf, type Answer } from '../client/operation-answer.js';
import { describeAsk, waitForResult, type Started } from '../client/operations.js';
import { hasWorker, progressOf } from '../client/progress.js';
import { getInstance } from '../activities/inventory/instances.js';
import { stateSentence } from '../model/instance.js';
import { operationKey } from '../workflows/define.js';
import { newsOf } from './incident-progress.js';
import type { Context } from './context.js';
import { StillRunning } from './errors.js';
import { printData, write } from './output.js';
import { openProgress, percentBar, type Progress } from './progress.js';
import { describeResult, sinceText } from './texts.js';
import { interruptible } from './waiting.js';

/** Throws what the operation threw, or StillRunning when the waiting ended first. */
export async function followStarted(
  context: Context,
  started: Started,
  options: { timeoutSeconds: number | undefined; wait?: boolean },
): Promise<void> {
  const begun = Date.now();
  const answer = await answerOf(context, started);
  if (options.wait === false) {
    await tellAnswer(context, answer);
    return context.output.format === 'table' ? context.say(howToFollow(started)) : undefined;
  }
  const result = await interruptible((signal) => followed(context, started, { ...options, signal }));
  return tellAnswer(context, { ...answer, state: 'succeeded', result }, begun);
}

async function followed(
  context: Context,
  started: Started,
  options: { signal: AbortSignal; timeoutSeconds: number | undefined },
): Promise<unknown> {
  const progress = openProgress(context.output.format === 'table' ? process.stdout : process.stderr);
  const ended = new AbortController();
  const telling = tellProgress(context, started, progress, ended.signal);
  try {
    const answer = await waitForResult({ ...context, say: (text) => progress.line(text) }, started, options);
    if (answer.ended) return answer.result;
  } finally {
    ended.abort();
    await telling;
    progress.end();
  }
  throw new StillRunning(`${describeAsk(started)} still runs and goes on`, howToFollow(started));
}

const howToFollow = ({ label, operation }: Started): string =>
  operationKey(operation) === 'host.recover'
    ? `follow it with \`drover incident show ${label}\`, end it with \`drover incident cancel ${label}\``
    : operation.target === 'host'
      ? `see \`drover host show ${label}\``
      : `follow it with \`drover instance watch ${label}\`, cancel it with \`drover instance cancel ${label}\``;

/** After this long without a sign of life it is worth saying that no worker runs. */
const patienceMs = 4000;

async function tellProgress(
  context: Context,
  started: Started,
  progress: Progress,
  ended: AbortSignal,
): Promise<void> {
  const { operation, label, workflowId, runId } = started;
  const begun = Date.now();
  const said = new Set<string>();
  const once = (text: string): void => {
    if (!said.has(text)) progress.line(text);
    said.add(text);
  };
  // Told once it is admitted: a refused operation changes no state.
  const change = operation.target === 'instance' ? await sentence(context, started) : '';
  const news = operationKey(operation) === 'host.recover' ? newsOf(context, label) : null;
  let phase: string | null = null;
  while (!ended.aborted) {
    await sleep(500, undefined, { signal: ended }).catch(() => undefined);
    if (ended.aborted) break;
    try {
      for (const line of (await news?.()) ?? []) progress.line(line);
      const temporal = await context.temporal();
      const now = await progressOf(temporal, workflowId, runId);
      if (ended.aborted) break;
      const percent = now.percent === null ? '' : ` ${percentBar(now.percent)}`;
      progress.live([`${label}: ${now.phase ?? 'waiting for a worker'}${percent} ${sinceText(begun)}`]);
      if (change !== '' && now.phase !== null && now.phase !== 'admission') once(change);
      if (news === null && now.phase !== null && now.phase !== phase && now.phase !== 'admission')
        once(`${label}: ${now.phase}`);
      phase = now.phase;
      if (now.percent !== null && now.percent >= 25)
        once(`${label}: ${now.phase ?? ''} ${now.percent - (now.percent % 25)} %`);
      if (now.trouble !== null) once(`${label}: tried again: ${now.trouble}`);
      if (
        now.phase === null &&
        Date.now() - begun > patienceMs &&
        (await hasWorker(temporal, context.cloud, now.queue)) === false
      ) {
        once(
          `no worker runs for the cloud ${context.cloud}: start one with \`drover worker\`; the work waits for it`,
        );
      }
    } catch {
      // Temporal is away: whoever waits for the result says so.
    }
  }
  for (const line of (await news?.().catch(() => [])) ?? []) progress.line(line);
}

async function sentence(context: Context, { operation, subject, label }: Started): Promise<string> {
  if (operation.target === 'host') return '';
  const state = await getInstance(context.inventory, subject).then(
    (found) => found.state,
    () => 'new',
  );
  return stateSentence(label, state, operation.doing, operation.name);
}

export async function tellAnswer(context: Context, answer: Answer, begun?: number): Promise<void> {
  if (context.output.format !== 'table') return printData(context.output, answer);
  if (answer.state === 'running') {
    write(`${answer.operation} of ${answer.subject} started (operation ${answer.id})`);
    if (answer.workflowUrl !== null) write(answer.workflowUrl);
    return;
  }
  const took = begun === undefined ? '' : ` ${sinceText(begun)}`;
  const result = describeResult(answer.result);
  write(`${answer.operation} of ${answer.subject}: done${took}${result === '' ? '' : `: ${result}`}`);
}
