/** The transactions of a readmission: it begins, nothing leaves the host any more, it is back. */
import { DroverError } from '../../model/errors.js';
import type { Fence } from '../../model/incident.js';
import type { PowerState } from '../../model/instance.js';
import type { Request } from '../../model/operation.js';
import { releaseLeaked } from '../audit/release.js';
import { read, transact, type Trx } from '../inventory/database.js';
import { refreshUsage } from '../inventory/host-usage.js';
import { recordOf } from '../inventory/host-operations.js';
import { requireHost, writeEnabled } from '../inventory/hosts.js';
import { expectedPowers, recordPowers } from '../inventory/powers.js';
import { fenceOf, readmitRefusal } from '../inventory/readmit-refusal.js';
import { toJson } from '../inventory/rows.js';
import type { HostRow } from '../inventory/schema.js';
import { reopenKept } from './kept-disks.js';
import { evacuatedFrom } from './return-evacuated.js';
import { tellIncident } from './return-log.js';
import type { ReturnDeps } from './deps.js';
import type { Readmitted } from './return-types.js';

export async function beginReadmission(
  { inventory }: ReturnDeps,
  { host, request }: { host: string; request: Request },
): Promise<{ before: Readmitted | null }> {
  return read(inventory, async (db) => {
    const before = await doneBefore(db, request);
    if (before === null) await refuse(db, await requireHost(db, host));
    return { before };
  });
}

/** Held in the record of the operation until it has its result. */
async function doneBefore(trx: Trx, { id }: Request): Promise<Readmitted | null> {
  const mine = await recordOf(trx, id);
  return mine?.result ? (JSON.parse(mine.result) as Readmitted) : null;
}

async function refuse(trx: Trx, row: HostRow): Promise<Fence> {
  const refusal = await readmitRefusal(trx, row);
  if (refusal !== undefined) throw refusal;
  const fence = fenceOf(row);
  if (fence === null) throw new DroverError('WrongState', `${row.name} is not fenced any more`);
  return fence;
}

/**
 * From `held` to `released`: evacuations are admitted only while it is held, and none is open. So from here on the
 * inventory says for good which of its guests are stale.
 */
export async function releaseFence(
  { inventory }: ReturnDeps,
  { host, request }: { host: string; request: Request },
): Promise<void> {
  await transact(inventory, async (trx) => {
    if ((await doneBefore(trx, request)) !== null) return;
    const fence = await refuse(trx, await requireHost(trx, host));
    const says = `readmission of ${host}, asked for by ${request.by}: nothing is evacuated from it any more`;
    await tellIncident(trx, inventory, fence.incident, { phase: 'readmitting', says });
    if (fence.state === 'released') return;
    await trx
      .updateTable('hosts')
      .set({ fence: toJson({ ...fence, state: 'released' }) })
      .where('name', '=', host)
      .execute();
  });
}

export async function closeReadmission(
  { inventory }: ReturnDeps,
  input: {
    host: string;
    request: Request;
    seen: { instance: string; power: PowerState }[];
    says: string[];
  },
): Promise<Readmitted> {
  const { host, request, seen, says } = input;
  const before = await read(inventory, (db) => doneBefore(db, request));
  if (before !== null) return before;
  const released = await releaseHeld({ inventory }, host);
  // What was never evacuated is as it was seen just now; the ordinary repair makes its state of it.
  const powers = seen.map(({ instance, power }) => ({ id: instance, power }));
  await recordPowers(inventory, host, await expectedPowers(inventory, host), powers);
  return transact(inventory, async (trx) => {
    const earlier = await doneBefore(trx, request);
    if (earlier !== null) return earlier;
    const row = await requireHost(trx, host);
    const fence = await refuse(trx, row);
    if (fence.state !== 'released')
      throw new DroverError('WrongState', `${host} was fenced again meanwhile (incident ${fence.incident})`, {
        hint: 'readmit it again once its recovery has ended',
      });
    await trx.updateTable('hosts').set({ fence: null }).where('name', '=', host).execute();
    await reopenKept(trx, host);
    await refreshUsage(trx, [host]);
    const enabled = await enable(trx, row, fence, request.by);
    const evacuated = await closeIncident(trx, inventory.now(), fence.incident, host);
    const done: Readmitted = { ...enabled, released, evacuated };
    const line = [`${host} is readmitted by ${request.by}`, ...says, enabled.says].join('; ');
    await tellIncident(trx, inventory, fence.incident, { phase: 'readmitted', says: line });
    await trx
      .updateTable('operations')
      .set({ result: toJson(done) })
      .where('id', '=', request.id)
      .execute();
    return done;
  });
}

/** Every allocation on the host that nothing speaks for. */
async function releaseHeld(deps: Pick<ReturnDeps, 'inventory'>, host: string): Promise<string[]> {
  const { inventory } = deps;
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('allocations')
      .leftJoin('instances', 'instances.id', 'allocations.instance')
      .select(['allocations.id', 'allocations.vcpus', 'allocations.memory_mib', 'instances.name'])
      .where('allocations.host', '=', host)
      .orderBy('allocations.id')
      .execute(),
  );
  const released: string[] = [];
  for (const { id, vcpus, memory_mib, name } of rows) {
    if ((await releaseLeaked(inventory, { allocation: id })).released)
      released.push(`${vcpus} vCPUs and ${memory_mib} MiB for ${name ?? 'an instance that is not there'}`);
  }
  return released;
}

/** Whoever disabled it before it was lost had a reason, which is still there. */
async function enable(
  trx: Trx,
  row: HostRow,
  { incident }: Fence,
  by: string,
): Promise<{ enabled: boolean; says: string }> {
  const { name, disabled_by: who, disabled_reason: why } = row;
  if (row.enabled === 1) return { enabled: true, says: 'it takes instances' };
  // The recovery names its incident when it disables a host.
  if (why?.includes(incident) === true) {
    await writeEnabled(trx, row, { enabled: true, reason: null, by });
    return { enabled: true, says: 'it takes instances again' };
  }
  return {
    enabled: false,
    says: `it stays disabled, as ${who ?? 'somebody'} had left it (${why ?? 'no reason given'}): drover host enable ${name}`,
  };
}

/** Answers what it evacuated from here and is still elsewhere. */
async function closeIncident(
  trx: Trx,
  now: string,
  incident: string,
  host: string,
): Promise<Readmitted['evacuated']> {
  const row = await trx.selectFrom('incidents').selectAll().where('id', '=', incident).executeTakeFirst();
  if (row === undefined) return [];
  // Asked for before the incident is closed, which ends that list.
  const evacuated = await evacuatedFrom(trx, host);
  const ended = row.ended_at === null ? { ended_at: now, state: 'partly-recovered' as const } : {};
  await trx
    .updateTable('incidents')
    .set({ waits_for: null, ...ended })
    .where('id', '=', incident)
    .execute();
  // Also those that ended without a fence: what comes next is another story.
  await trx
    .updateTable('incidents')
    .set({ readmitted_at: now })
    .where('host', '=', host)
    .where('readmitted_at', 'is', null)
    .execute();
  if (evacuated.length === 0) return [];
  const rows = await trx
    .selectFrom('instances')
    .select(['id', 'name'])
    .where('id', 'in', evacuated)
    .where('state', '<>', 'deleted')
    .where('host', '<>', host)
    .orderBy('name')
    .execute();
  return rows.map(({ id, name }) => ({ instance: id, name }));
}
