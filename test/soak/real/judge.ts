/** What must hold once nothing is broken any more and the janitor has been there; sentences of what does not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { auditSentences } from '../../proof/audit.js';
import { instances, twins } from '../judge.js';
import type { RealSite } from './site.js';

/** A round of the janitor is 30 s, and a repair may wait for a probe. */
const patienceMs = 360_000;

/** Waits until nothing is under way nor to be repaired, then judges. */
export async function judge(site: RealSite): Promise<string[]> {
  const deadline = Date.now() + patienceMs;
  let wrong = await found(site);
  while (wrong.length > 0 && Date.now() < deadline) {
    await sleep(5000);
    wrong = await found(site);
  }
  return wrong;
}

async function found({ inventory, datacenter }: RealSite): Promise<string[]> {
  const { kysely } = inventory;
  const known = await kysely.selectFrom('instances').select(['id', 'state']).execute();
  const real = await datacenter.transact((tx) => ({
    guests: tx.all<{ id: string; host: string }>('select id, host from guests'),
    jobs: tx.all<{ name: string }>('select name from migrations where ended_at is null'),
  }));
  const open = await kysely
    .selectFrom('operations')
    .select(['id', 'kind', 'instance'])
    .where('ended_at', 'is', null)
    .execute();
  const incidents = await kysely
    .selectFrom('incidents')
    .select(['id', 'host', 'state'])
    .where('ended_at', 'is', null)
    .execute();
  const fenced = await kysely.selectFrom('hosts').select('name').where('fence', 'is not', null).execute();
  const there = new Set(known.filter(({ state }) => state !== 'deleted').map(({ id }) => id));
  return [
    ...(await twins({ datacenter })),
    ...real.guests.filter(({ id }) => !there.has(id)).map((row) => `a stray guest: ${JSON.stringify(row)}`),
    ...real.jobs.map(({ name }) => `a migration never ended: ${name}`),
    ...open.map((row) => `a record stays open: ${JSON.stringify(row)}`),
    ...incidents.map((row) => `an incident stays open: ${JSON.stringify(row)}`),
    ...fenced.map(({ name }) => `a host stays fenced: ${name}`),
    ...(await instances({ datacenter, inventory })),
    ...(await auditSentences({ inventory, datacenter })),
  ];
}
