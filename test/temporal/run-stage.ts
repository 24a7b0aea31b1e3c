/** Runs on a real Temporal, asked and followed by the client as several persons. */
import type { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { listHosts } from '../../activities/inventory/hosts.js';
import { listRunActions } from '../../activities/inventory/run-actions.js';
import type { Caller } from '../../client/caller.js';
import type { Wait } from '../../model/run.js';
import { viewRun } from '../../client/run-view.js';
import { startRun } from '../../client/runs.js';
import { assertSucceeded, watchRun, type Look } from '../../client/watch-run.js';
import { runTeller } from '../../cli/run-lines.js';
import { DroverError } from '../../model/errors.js';
import { LANGUAGE_VERSION, runbookSchema, type FrozenRunbook } from '../../model/runbook.js';
import { SimulatedCloud } from './simulated.js';
import { cloudName, openSite, type Site } from './site.js';
import { until } from './helpers.js';

export interface Stage {
  cloud: SimulatedCloud;
  client: Client;
  /** Ends the workers, as nobody who would start others. */
  stopWorkers(): Promise<void>;
}

/** One server for the file of the test; a cloud and workers for each test. */
export function openStage(): () => Stage {
  let site: Site | undefined;
  let stage: Stage | undefined;
  beforeAll(async () => {
    site = await openSite();
  });
  afterAll(() => site?.close());
  beforeEach(async () => {
    if (site === undefined) throw new Error('there is no server');
    const cloud = await SimulatedCloud.open();
    const workers = await cloud.serve(site);
    stage = { cloud, client: site.client, stopWorkers: () => workers.stop() };
  });
  afterEach(async () => {
    await stage?.stopWorkers();
    await stage?.cloud.close();
  });
  return () => {
    if (stage === undefined) throw new Error('no test runs');
    return stage;
  };
}

export const person = (
  { cloud, client }: Stage,
  name: string,
  role: Caller['identity']['role'] = 'operator',
): Caller => ({
  cloud: cloudName,
  inventory: cloud.inventory,
  identity: { name, role },
  via: 'cli',
  temporal: () =>
    Promise.resolve({
      client,
      connection: client.connection as Connection,
      namespace: 'default',
      address: 'test',
    }),
  say: () => undefined,
});

export const frozen = (steps: Record<string, unknown>[]): FrozenRunbook => ({
  language: LANGUAGE_VERSION,
  name: 'test',
  digest: '0'.repeat(64),
  source: '',
  runbook: runbookSchema.parse({ name: 'test', description: 'A test.', steps }),
});

/** By ann, as all that is not said to be by somebody. */
export const start = async (stage: Stage, steps: Record<string, unknown>[]): Promise<string> =>
  (await startRun(person(stage, 'ann'), { plan: frozen(steps), inputs: {} })).id;

export const waiting = (stage: Stage, id: string): Promise<Wait[]> =>
  until('it waits for approval', async () => {
    const { waits } = await viewRun(person(stage, 'ann'), id);
    return waits.length > 0 ? waits : undefined;
  });

/** Follows it to its end, as `run watch` does; answers the last look and all lines, told as they come. */
export async function ending(
  stage: Stage,
  id: string,
  lines: string[] = [],
): Promise<{ view: Look['view']; lines: string[] }> {
  const tell = runTeller();
  let view: Look['view'] | undefined;
  for await (const look of watchRun(person(stage, 'ann'), id, { everyMs: 50, timeoutSeconds: 30 })) {
    lines.push(...tell(look));
    ({ view } = look);
  }
  if (view === undefined || view.state === 'running') throw new Error(`run ${id} did not end`);
  return { view, lines };
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return error instanceof DroverError ? `${error.code}: ${error.message}` : String(error);
  }
}

/** What the command ends with. */
export function exitOf(view: Look['view']): string {
  try {
    assertSucceeded(view);
    return 'done';
  } catch (error) {
    return error instanceof DroverError ? error.code : String(error);
  }
}

export const did = async ({ cloud }: Stage, id: string): Promise<string[]> =>
  (await listRunActions(cloud.inventory, id)).map(
    ({ by, action, step, comment }) => `${by} ${action} ${step ?? '-'} ${comment ?? '-'}`,
  );

export const gate = { id: 'gate', name: 'May it?', approve: { count: 2, message: 'Stop all?' } };

export const stop = (ids: string[], more = {}) => ({
  id: 'stop',
  uses: 'instance.stop',
  'for-each': ids,
  with: { instance: '${{ item }}' },
  ...more,
});

export const disable = {
  id: 'disable',
  uses: 'host.disable',
  with: { host: 'h1', reason: 'test' },
  undo: { uses: 'host.enable', with: { host: 'h1' } },
};

export const isEnabled = async ({ cloud }: Stage): Promise<boolean | undefined> =>
  (await listHosts(cloud.inventory)).find(({ name }) => name === 'h1')?.enabled;
