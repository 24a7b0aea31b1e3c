/** drover's worker, control or of a host, which holds planned workflows at a step until the test has struck. */
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Context } from '@temporalio/activity';
import { loadConfig } from '../../../config/config.js';
import { runWorker } from '../../../worker/worker.js';
import { openBoard } from './plan.js';

const { values } = parseArgs({
  allowPositionals: true,
  options: { host: { type: 'string' }, 'reboot-command': { type: 'string' } },
});
const config = await loadConfig();
const board = openBoard(config.data);
/** The newest attempt of each activity that is held: one before it has been given up. */
const newest = new Map<string, number>();

async function hold(context: Context, wave: number): Promise<void> {
  const { info } = context;
  const workflowId = info.workflowExecution?.workflowId ?? '';
  const activity = `${workflowId} ${info.activityId}`;
  newest.set(activity, info.attempt);
  board.setHeld(wave, workflowId);
  while (!board.isReleased(wave)) {
    await sleep(100);
    if (info.heartbeatTimeoutMs) context.heartbeat();
    if (newest.get(activity) !== info.attempt) throw new Error('given up: a later attempt is held');
  }
}

const interceptors = {
  activity: [
    (context: Context) => ({
      inbound: {
        async execute<I, O>(input: I, next: (input: I) => Promise<O>): Promise<O> {
          const { info } = context;
          const found = board.halt(info.workflowExecution?.workflowId ?? '', Number(info.activityId));
          if (!found) return next(input);
          if (found.halt.position === 'before') await hold(context, found.wave);
          const work = next(input);
          if (found.halt.position === 'after') {
            await work.catch(() => undefined);
            await hold(context, found.wave);
          }
          return work;
        },
      },
    }),
  ],
};

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
await runWorker({
  config,
  ...(values.host === undefined ? {} : { host: values.host }),
  janitorEverySeconds: 5,
  bundle: { codePath: join(root, 'workflows.cjs') },
  temporal: {
    identity: values.host ?? 'control',
    // What a dead worker had in its cache is given to the next at once.
    stickyQueueScheduleToStartTimeout: '1s',
    interceptors,
  },
});
