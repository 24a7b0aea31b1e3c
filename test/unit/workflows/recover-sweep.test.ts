/** A lost host, through every trouble at every step of its recovery; asked for again, it ends as it should. */
import { describe, expect, it } from 'vitest';
import { listIncidents } from '../../../activities/inventory/incidents.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import type { Trouble } from '../../../virtual/trouble.js';
import { boots } from './cloud.js';
import { crash, fenceOf, recover, runsOn } from './recoveries.js';

async function lost(): Promise<{ cloud: VirtualCloud; ids: string[] }> {
  const cloud = await VirtualCloud.open({ hosts: ['h1', 'h2', 'h3'], log: false });
  Object.assign(cloud.recovery, { settleSeconds: 1, atATime: 1, retryEverySeconds: 5 });
  const ids = [await cloud.adopt('web-1', { host: 'h1' }), await cloud.adopt('web-2', { host: 'h1' })];
  await crash(cloud);
  return { cloud, ids };
}

/** How many steps it takes when nothing troubles it. */
async function stepsOf(): Promise<number> {
  const { cloud } = await lost();
  try {
    const handle = recover(cloud);
    await handle.ending;
    return handle.calls.length;
  } finally {
    await cloud.close();
  }
}

const steps = await stepsOf();

const kinds = {
  'its workflow is terminated': { terminate: true },
  'somebody cancels it': { cancel: true },
  'its worker dies, and the answer with it': { crash: true },
} as const satisfies Record<string, Partial<Trouble>>;

describe.each(Object.entries(kinds))('%s', (_kind, trouble) => {
  it('at each step', { timeout: 120_000 }, async () => {
    const wrong: string[] = [];
    for (let step = 1; step <= steps; step += 1) {
      const { cloud, ids } = await lost();
      try {
        const handle = recover(cloud, { troubles: [{ at: step, when: 'after', ...trouble }] });
        const first = await handle.ending;
        const last = first.end === 'done' ? first : await recover(cloud).ending;
        if (last.end !== 'done') wrong.push(`step ${step}: ${JSON.stringify(last)}`);
        for (const id of ids) {
          const runs = await runsOn(cloud, id);
          const times = await boots(cloud, id);
          if (runs.length !== 1 || times !== 1)
            wrong.push(`step ${step}: runs on ${runs.join()}, ${times} boots`);
        }
        const taken = await cloud.inventory.kysely
          .selectFrom('incidents')
          .select('id')
          .where('fence_taken_at', 'is not', null)
          .execute();
        if (taken.length !== 1) wrong.push(`step ${step}: ${taken.length} fences were taken`);
        if ((await fenceOf(cloud))?.state !== 'released')
          wrong.push(`step ${step}: the fence is not released`);
        const open = await listIncidents(cloud.inventory, { open: true });
        if (open.length > 0) wrong.push(`step ${step}: an incident is open`);
      } finally {
        await cloud.close();
      }
    }
    expect(wrong).toEqual([]);
  });
});
