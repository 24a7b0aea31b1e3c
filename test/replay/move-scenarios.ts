/** Live migrations: done, refused, cancelled, ended by people, and what a terminated one leaves to others. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { operationAsks } from '../../client/operation-asks.js';
import { begin, beginOther } from '../temporal/site.js';
import { slowLink } from '../unit/workflows/cloud.js';
import { arrive, ending, migrating, on, type Scenario, type Stage } from './stage.js';

const local = { local: true };

/** A migration whose workflow somebody terminates while it runs, or while it undoes. */
const lost =
  (then: (stage: Stage, instance: string, migration: WorkflowHandle) => Promise<WorkflowHandle>): Scenario =>
  async (stage) => {
    const { site, cloud } = stage;
    const instance = await cloud.adopt('web-1', local);
    await slowLink(cloud);
    const migration = await begin(site, 'instance.live-migrate', { instance });
    await migrating(cloud);
    await migration.terminate('for the record');
    await arrive(cloud);
    return then(stage, instance, migration);
  };

/** A guest that writes faster than the link carries; a person ends that, by what `instance.live-migrate` is asked. */
const asked =
  (ask: (typeof operationAsks)[number], { way = null as 'pause' | null, end = 'done' } = {}): Scenario =>
  async ({ site, cloud }) => {
    const instance = await cloud.adopt('web-1');
    await slowLink(cloud);
    const handle = await begin(site, 'instance.live-migrate', { instance, no_progress: '30m' });
    await migrating(cloud);
    await handle.executeUpdate(ask, { args: [{ by: 'test', role: 'admin', way }] });
    if (end === 'done') await arrive(cloud);
    return ending(handle, end);
  };

export const moveScenarios: Record<string, Scenario> = {
  'instance.live-migrate.succeeded': on('instance.live-migrate', local),
  'instance.live-migrate.succeeded-shared': on('instance.live-migrate'),
  'instance.live-migrate.failed': on(
    'instance.live-migrate',
    local,
    {},
    { end: 'MigrationFailed', fails: ['startMigration'] },
  ),
  'instance.live-migrate.unwind-incomplete': on(
    'instance.live-migrate',
    local,
    {},
    { end: 'UnwindIncomplete', fails: ['startMigration', 'removeDisk'] },
  ),
  'instance.live-migrate.cleanup-incomplete': on(
    'instance.live-migrate',
    local,
    {},
    { end: 'CleanupIncomplete', fails: ['removeDisk'] },
  ),
  'instance.live-migrate.cancelled': async ({ site, cloud }) => {
    const instance = await cloud.adopt('web-1', local);
    await slowLink(cloud);
    const handle = await begin(site, 'instance.live-migrate', { instance });
    await migrating(cloud);
    await handle.cancel();
    return ending(handle, 'CancelledFailure');
  },
  'instance.live-migrate.done-although-cancelled': async ({ site, cloud, before }) => {
    const instance = await cloud.adopt('web-1', local);
    await slowLink(cloud);
    const handle = await begin(site, 'instance.live-migrate', { instance });
    await migrating(cloud);
    // The guest has arrived when what the cancel left is to be undone.
    before.set('undoMigrate', () =>
      cloud.datacenter.transact((tx) => {
        tx.run(`delete from guests where host = 'h2' and id = ?`, instance);
        tx.run(`update guests set host = 'h2' where id = ?`, instance);
      }),
    );
    await handle.cancel();
    return ending(handle, 'done');
  },
  'instance.live-migrate.aborted': asked('abort', { end: 'Cancelled' }),
  'instance.live-migrate.force-completed': asked('force-complete', { way: 'pause' }),
  'instance.live-migrate.terminated': lost(async (_stage, _instance, migration) => migration),
  'instance.stop.reconciled': lost(async ({ site }, instance) =>
    ending(await begin(site, 'instance.stop', { instance }), 'done'),
  ),
  'instance.repair.terminated-then-repaired': lost(async ({ site }, instance) =>
    ending(await begin(site, 'instance.repair', { instance }), 'done'),
  ),
  'janitor.terminated-then-repaired': lost(async ({ site }) =>
    ending(await beginOther(site, 'janitor', `janitor/${randomUUID()}`), 'done'),
  ),
};
