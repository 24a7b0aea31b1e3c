import type { HostSettings, InventoryActivities } from '../types.js';
import { changeHost } from './host-operations.js';
import { refreshUsage } from './host-usage.js';
import type { OwnershipDeps } from './ownership.js';
import { flag, toJson } from './rows.js';
import type { HostRow } from './schema.js';

/** Changes what the operator says of a host; what is not named stays. Answers what it was, for the undo. */
export async function setHost(
  deps: Pick<OwnershipDeps, 'inventory' | 'currentRun'>,
  { host, settings, request }: Parameters<InventoryActivities['setHost']>[0],
): Promise<{ was: HostSettings }> {
  const asked = { kind: 'set', host, input: { host, ...settings }, request };
  return changeHost(deps, asked, async (trx, row) => {
    const { zone, labels = {}, storage = {}, slots, reserve_mib, cpu_overcommit } = settings;
    const { reserved, control_plane } = settings;
    const was = settingsOf(row);
    await trx
      .updateTable('hosts')
      .set({
        zone: zone === undefined ? was.zone || null : zone || null,
        labels: toJson(merged(was.labels, labels)),
        storage: toJson(merged(was.storage, storage)),
        slots: slots ?? was.slots,
        memory_mib_reserved: reserve_mib ?? was.reserve_mib,
        cpu_overcommit: cpu_overcommit ?? was.cpu_overcommit,
        reserved: flag(reserved ?? was.reserved),
        control_plane: flag(control_plane ?? was.control_plane),
      })
      .where('name', '=', host)
      .execute();
    await refreshUsage(trx, [host]);
    return { was };
  });
}

const settingsOf = (row: HostRow): HostSettings => ({
  zone: row.zone ?? '',
  labels: JSON.parse(row.labels) as Record<string, string>,
  storage: row.storage === null ? {} : (JSON.parse(row.storage) as Record<string, string>),
  slots: row.slots,
  reserve_mib: row.memory_mib_reserved,
  cpu_overcommit: row.cpu_overcommit,
  reserved: row.reserved === 1,
  control_plane: row.control_plane === 1,
});

/** A key with an empty value is taken away. */
const merged = (before: Record<string, string>, changes: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== ''));
