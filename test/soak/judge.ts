/** What must hold when all faults are healed and the janitor has been there. */
import { getOperation } from '../../activities/inventory/records.js';
import { getRun } from '../../activities/inventory/runs.js';
import { auditSentences } from '../proof/audit.js';
import { broken } from '../proof/invariants.js';
import { mistold, type Heard } from '../proof/told.js';
import { runWorkflowId } from '../../model/addresses.js';
import type { VirtualCloud } from '../../virtual/cloud.js';
import type { Ending } from '../../virtual/ending.js';
import { judgeFences } from './fences.js';
import type { Accepted, World } from './world.js';

/** Sentences of what does not hold: the rule up to the first colon or bracket, then what was seen. */
export async function judge(world: World): Promise<string[]> {
  const told = (text: string) => world.cloud.log.told(text);
  const wrong = [
    ...(await twins(world.cloud)),
    ...(await instances(world.judged)),
    ...(await strays(world)),
    ...(await records(world)),
    ...(await runs(world)),
    ...(await auditSentences(world.cloud)),
    ...(await judgeFences(world)),
  ];
  return wrong.map(told);
}

export async function twins({ datacenter }: Pick<VirtualCloud, 'datacenter'>): Promise<string[]> {
  const found = await datacenter.transact((tx) =>
    tx.all<{ id: string; hosts: string }>('select distinct id, hosts from twins'),
  );
  return found.map(({ id, hosts }) => `it ran twice: ${id} on ${hosts}`);
}

export async function instances(
  judged: Pick<World['judged'], 'datacenter' | 'inventory'>,
): Promise<string[]> {
  const rows = await judged.inventory.kysely
    .selectFrom('instances')
    .select(['id', 'name', 'needs_repair'])
    .orderBy('name')
    .execute();
  const wrong: string[] = [];
  for (const { id, name, needs_repair } of rows) {
    const found = (await broken(judged, id)).filter((what) => !isForgottenNote(what));
    wrong.push(...found.map((what) => `${what} [${name}]`));
    // All hosts answer and the janitor came again and again: nothing is left that could not be settled.
    if (needs_repair !== null) wrong.push(`it is still to repair: ${name}: ${needs_repair}`);
  }
  return wrong;
}

/**
 * Known and harmless: the host that made a disk on shared storage notes so, and does not hear when it is removed from
 * the host to which its instance has moved.
 */
const isForgottenNote = (what: string): boolean =>
  /^notes of disks that are gone: (shared:[^,]*,?)+ \(deleted /.test(what);

/** What belongs to no instance that there is. */
async function strays({ cloud }: World): Promise<string[]> {
  const { kysely } = cloud.inventory;
  const known = await kysely.selectFrom('instances').select(['id', 'name', 'state']).execute();
  const there = new Set(known.filter(({ state }) => state !== 'deleted').map(({ id }) => id));
  const ours = new Set(known.flatMap(({ id, name, state }) => (state === 'deleted' ? [] : [id, name])));
  const real = await cloud.datacenter.transact((tx) => ({
    guests: tx.all<{ id: string; host: string; power: string }>('select id, host, power from guests'),
    files: tx.all<{ store: string; path: string }>(`select store, path from files where store <> 'images'`),
    jobs: tx.all<{ name: string }>('select name from migrations where ended_at is null'),
  }));
  const keys = await kysely.selectFrom('run_concurrency').select(['key', 'run']).execute();
  const claims = await kysely.selectFrom('allocations').select(['instance', 'host', 'slots']).execute();
  const stem = (path: string) => path.replace(/^.*\//, '').replace(/\.qcow2$/, '');
  return [
    ...real.guests.filter(({ id }) => !there.has(id)).map((row) => `a stray guest: ${JSON.stringify(row)}`),
    ...real.files
      .filter(({ path }) => !ours.has(stem(path)))
      .map(({ store, path }) => `a stray file: ${store}:${path}`),
    ...real.jobs.map(({ name }) => `a migration never ended: ${name}`),
    // The next run that wants it takes it from one that was terminated.
    ...keys
      .filter(({ run }) => !isTerminated(cloud, run))
      .map((row) => `a concurrency key is held: ${JSON.stringify(row)}`),
    ...claims
      .filter(({ instance }) => !there.has(instance))
      .map((row) => `a stray claim: ${JSON.stringify(row)}`),
  ];
}

async function records({ cloud, accepted }: World): Promise<string[]> {
  const all = await cloud.inventory.kysely
    .selectFrom('operations')
    .select(['id', 'kind', 'host', 'instance', 'ended_at'])
    .execute();
  const written = new Set(all.map(({ id }) => id));
  const open = all.filter(({ ended_at }) => ended_at === null);
  const wrong = open.map((row) => `a record stays open: ${JSON.stringify(row)}`);
  for (const [action, one] of accepted) {
    if (one.run.type === 'run-runbook') continue;
    const record = written.has(one.id) ? await getOperation(cloud.inventory, one.id) : null;
    wrong.push(...mistold(record, heard(one)).map((what) => `${what} [${action}]`));
  }
  return wrong;
}

async function runs({ cloud, accepted }: World): Promise<string[]> {
  const open = await cloud.inventory.kysely
    .selectFrom('runs')
    .select(['id', 'runbook'])
    .where('ended_at', 'is', null)
    .execute();
  // Nobody can write the end of one that was terminated: it is shown as that as long as its record is open.
  const wrong = open
    .filter(({ id }) => !isTerminated(cloud, id))
    .map(({ id, runbook }) => `a run stays open: ${runbook} ${id}`);
  for (const [action, { id, run, ending }] of accepted) {
    if (run.type !== 'run-runbook' || ending === null || ending.end === 'terminated') continue;
    const { state, error } = await getRun(cloud.inventory, id);
    const wanted = ending.end === 'done' ? 'succeeded' : stateFor(ending.error.code);
    if (state !== wanted || (ending.end === 'failed' && error?.code !== ending.error.code))
      wrong.push(`the run tells otherwise: ${action} is ${state} (${error?.code}), heard ${told(ending)}`);
  }
  return wrong;
}

const isTerminated = ({ name, temporal }: VirtualCloud, run: string): boolean =>
  temporal.newest(runWorkflowId(name, run))?.terminated === true;

const stateFor = (code: string): string =>
  code === 'Cancelled' ? 'cancelled' : code === 'Rejected' ? 'rejected' : 'failed';

function heard({ ending }: Accepted): Heard {
  if (ending === null || ending.end === 'terminated') return 'nothing';
  return ending.end === 'done' ? 'done' : ending.error.code;
}

const told = (ending: Ending): string => (ending.end === 'failed' ? ending.error.code : ending.end);

/** What a sentence is about, the same for every case that breaks the same rule. */
export const ruleOf = (sentence: string): string => sentence.split(/[:([]/, 1)[0]?.trim() ?? sentence;
