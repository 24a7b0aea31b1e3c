/** What must hold once nothing is broken any more and the janitor has been there; sentences of what does not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { auditSentences } from '../../proof/audit.js';
import { broken } from '../../proof/invariants.js';
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
  const instances = await kysely
    .selectFrom('instances')
    .select(['id', 'name', 'state', 'needs_repair'])
    .execute();
  const real = await datacenter.transact((tx) => ({
    twins: tx.all<{ id: string; hosts: string }>('select distinct id, hosts from twins'),
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
  const there = new Set(instances.filter(({ state }) => state !== 'deleted').map(({ id }) => id));
  const ofInstances = await Promise.all(
    instances.map(async ({ id, name, needs_repair }) => [
      ...(await broken({ datacenter, inventory }, id))
        // Known and harmless: the host that made a disk on shared storage does not hear that it is gone.
        .filter((what) => !what.startsWith('notes of disks that are gone'))
        .map((what) => `${what} [${name}]`),
      ...(needs_repair === null ? [] : [`it is still to repair: ${name}: ${needs_repair}`]),
    ]),
  );
  return [
    ...real.twins.map(({ id, hosts }) => `it ran twice: ${id} on ${hosts}`),
    ...real.guests.filter(({ id }) => !there.has(id)).map((row) => `a stray guest: ${JSON.stringify(row)}`),
    ...real.jobs.map(({ name }) => `a migration never ended: ${name}`),
    ...open.map((row) => `a record stays open: ${JSON.stringify(row)}`),
    ...incidents.map((row) => `an incident stays open: ${JSON.stringify(row)}`),
    ...fenced.map(({ name }) => `a host stays fenced: ${name}`),
    ...ofInstances.flat(),
    ...(await auditSentences({ inventory, datacenter })),
  ];
}
