import { drainAct } from './drain.js';
import { tellHosts } from './hosts-table.js';
import { faultsFound, guestsOf } from './judge.js';
import { lossAct } from './loss.js';
import type { Stage } from './stage.js';
import { paint } from '../paint.js';
import { Unexpected, type Teller } from './tell.js';

const drained = 'host-3';

/** The story; throws Unexpected where it does not come as it is told. */
export async function play(stage: Stage, tell: Teller): Promise<void> {
  const before = await guestsOf(stage);
  const workers = stage.workers().map(({ name, pid }) => `${name} (pid ${pid})`);
  tell.act(
    `A simulated datacenter with ${before.length} instances, a real Temporal server, ${workers.join(' and ')}`,
  );
  tell.say(`Temporal UI, while this runs: ${paint.underline(stage.uiUrl)}`);
  await tellHosts(stage, tell);
  tell.clock('start');

  await drainAct(stage, tell, drained);
  tell.clock('drain');

  await lossAct(stage, tell);
  tell.clock('loss');

  tell.act('The hosts now');
  await tellHosts(stage, tell);
  const wrong = await faultsFound(stage, before);
  if (wrong.length > 0) throw new Unexpected(`the hypervisors disagree with drover: ${wrong.join('; ')}`);
  const now = await guestsOf(stage);
  const unbroken = now.filter(({ id, boots }) => before.some((one) => one.id === id && one.boots === boots));
  tell.say(
    paint.green(
      `Verdict of the hypervisors themselves: all ${now.length} instances exist and run, none twice, and what drover has allocated\n` +
        `on each host is what is in use there. ${unbroken.length} never stopped; ${now.length - unbroken.length} died with their host and were started again.`,
    ),
  );
  tell.clock('verdict');
}
