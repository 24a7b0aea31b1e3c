/** `npm run soak -- --temporal --minutes 30`: the same world as the cases have, on a real Temporal server and in real time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { listInstances } from '../../../activities/inventory/instances.js';
import { operationWorkflowOf } from './workflow-of.js';
import type { Instance } from '../../../model/instance.js';
import { seeded, type Random } from '../../../virtual/random.js';
import { judge } from './judge.js';
import { ask, giveBack, outages } from './outages.js';
import { RealSite } from './site.js';
import { Counted } from './tally.js';

const hostCount = 5;
const guestCount = 16;
const atOnce = 3;

/** The exit code: 1 when something does not hold. */
export async function soakTemporal({ seed, minutes }: { seed: number; minutes: number }): Promise<number> {
  const site = await RealSite.open(hostCount);
  const counted = new Counted();
  try {
    const end = Date.now() + minutes * 60_000;
    const until = () => Date.now() > end;
    const random = (part: number) => seeded(seed * 100 + part);
    let made = 0;
    // A host that is lost takes none.
    const another = async (pick: Random) => {
      made += 1;
      await site.guest(`vm-${made}`, pick.pick(site.hosts)).catch(() => another(pick));
    };
    for (let n = 0; n < guestCount; n += 1) await another(random(n));
    const work = Array.from({ length: atOnce }, (_, n) =>
      operations(site, random(20 + n), counted, until, another),
    );
    await Promise.all([
      ...work,
      outages(site, random(30), counted, until),
      trouble(site, random(31), counted, until, minutes),
    ]);
    for (const { name } of site.hosts) {
      await site.strike({ do: 'restore', hosts: [name] });
      await giveBack(site, name, counted);
    }
    const wrong = await judge(site);
    console.log(
      JSON.stringify({ seed, minutes, hosts: hostCount, guests: made, ...counted.toJSON(), wrong }, null, 2),
    );
    return wrong.length === 0 ? 0 : 1;
  } finally {
    await site.close();
  }
}

const verbs: Partial<Record<Instance['state'], readonly [string, Record<string, unknown>][]>> = {
  active: [
    ['instance.live-migrate', {}],
    ['instance.live-migrate', {}],
    ['instance.stop', { grace: '2s' }],
    ['instance.pause', {}],
    ['instance.suspend', {}],
    ['instance.reboot', { hard: true }],
    ['instance.migrate', { grace: '2s', confirm_after: '0s' }],
    ['instance.terminate', {}],
  ],
  stopped: [
    ['instance.start', {}],
    ['instance.start', {}],
    ['instance.migrate', { confirm_after: '0s' }],
  ],
  paused: [['instance.unpause', {}]],
  suspended: [['instance.resume', {}]],
  error: [['instance.repair', {}]],
};

async function operations(
  site: RealSite,
  random: Random,
  counted: Counted,
  until: () => boolean,
  another: (pick: Random) => Promise<void>,
): Promise<void> {
  while (!until()) {
    const one = random.pick(await listInstances(site.inventory));
    const [operation, input] = random.pick(verbs[one.state] ?? [['instance.repair', {}]]);
    await ask(site, operation, { instance: one.id, ...input }, counted);
    if (operation === 'instance.terminate') await another(random);
    await sleep(200 + random.below(1500));
  }
}

/** Workers that die, Temporal that is away, operations that are cancelled or ended from outside. */
async function trouble(
  site: RealSite,
  random: Random,
  counted: Counted,
  until: () => boolean,
  minutes: number,
): Promise<void> {
  const pauses = Math.max(8000, (minutes * 60_000) / 60);
  for (let n = 1; !until(); n += 1) {
    await sleep(pauses / 2 + random.below(pauses));
    if (until()) return;
    if (n % 20 === 0) {
      counted.count('Temporal', 'restarted');
      await site.restartTemporal();
      continue;
    }
    const what = random.pick(['control', 'recovery', 'cancel', 'terminate'] as const);
    if (what === 'control' || what === 'recovery') {
      site.kill(what);
      counted.count(`worker: ${what}`, 'killed');
      continue;
    }
    const handle = await operationWorkflowOf(site, random);
    if (handle === undefined) continue;
    await (what === 'cancel' ? handle.cancel() : handle.terminate('the soak')).then(
      () => counted.count('from outside', what),
      () => undefined,
    );
  }
}
