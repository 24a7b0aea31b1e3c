/** Histories of audits: one that finds nothing, and one that repairs. */
import { randomUUID } from 'node:crypto';
import { beginOther } from '../temporal/site.js';
import { ending, type Scenario } from './stage.js';

const order = (repair: boolean) => ({
  id: randomUUID(),
  by: 'test',
  role: 'admin',
  options: { repair, adopt: false, removeOrphanDisks: false, hosts: null },
});

export const auditScenarios: Record<string, Scenario> = {
  'audit.succeeded': async ({ site, cloud }) => {
    await cloud.adopt('web-1');
    return ending(await beginOther(site, 'audit', `audit/${randomUUID()}`, order(false)), 'done');
  },
  'audit.repaired': async ({ site, cloud }) => {
    const id = await cloud.adopt('web-1');
    // Left by hand: a definition and a memory on the other host, and room for nothing.
    await cloud.datacenter.transact((tx) => {
      tx.run(
        `insert into guests (host, id, name, power, reason, persistent, vcpus, memory_mib, disks, dirty)
           select 'h2', id, name, 'shutoff', 'unknown', 1, vcpus, memory_mib, disks, dirty from guests where id = ?`,
        id,
      );
      tx.run(`insert into saves (host, guest) values ('h2', 'web-1')`);
    });
    const audit = await ending(await beginOther(site, 'audit', `audit/${randomUUID()}`, order(true)), 'done');
    const { repaired } = (await audit.result()) as { repaired: { error: string | null }[] };
    if (repaired.length !== 1 || repaired[0]?.error !== null) throw new Error(JSON.stringify(repaired));
    return audit;
  },
};
