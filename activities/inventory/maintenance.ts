/** A host in maintenance until a time. Nothing has to end it: who asks compares with the time. */
import type { Maintenance } from '../../model/host.js';
import type { Request } from '../../model/operation.js';
import { changeHost } from './host-operations.js';
import type { OwnershipDeps } from './ownership.js';
import { maintenanceOf } from './rows.js';

type Deps = Pick<OwnershipDeps, 'inventory' | 'currentRun'>;

/**
 * From now for so many seconds. One that goes on is extended and told; it is never made shorter by that, since
 * whoever declared it counts on it: to shorten it, it is ended and declared anew.
 */
export async function startMaintenance(
  deps: Deps,
  { host, seconds, reason, request }: { host: string; seconds: number; reason: string; request: Request },
): Promise<{ until: string; was: Maintenance | null; note: string }> {
  const { inventory } = deps;
  const asked = { kind: 'maintenance', host, input: { host, seconds, reason }, request };
  return changeHost(deps, asked, async (trx, row) => {
    const was = maintenanceOf(row, inventory);
    const until = new Date(Date.parse(inventory.now()) + seconds * 1000).toISOString();
    if (was !== null && was.until >= until) {
      return {
        until: was.until,
        was,
        note: `in maintenance until ${was.until} already, by ${was.by}: ${was.reason}`,
      };
    }
    await trx
      .updateTable('hosts')
      .set({
        maintenance_until: until,
        maintenance_by: request.by,
        maintenance_reason: reason,
        maintenance_run: request.run?.id ?? null,
      })
      .where('name', '=', host)
      .execute();
    const before = was === null ? '' : `; it was until ${was.until}, by ${was.by}: ${was.reason}`;
    return { until, was, note: `in maintenance until ${until}${before}` };
  });
}

/** Ends it now, whoever declared it; answers what it was. */
export async function endMaintenance(
  deps: Deps,
  { host, request }: { host: string; request: Request },
): Promise<{ was: Maintenance | null; note: string }> {
  const asked = { kind: 'end-maintenance', host, input: { host }, request };
  return changeHost(deps, asked, async (trx, row) => {
    const was = maintenanceOf(row, deps.inventory);
    await trx
      .updateTable('hosts')
      .set({
        maintenance_until: null,
        maintenance_by: null,
        maintenance_reason: null,
        maintenance_run: null,
      })
      .where('name', '=', host)
      .execute();
    const note =
      was === null ? 'it was in no maintenance' : `it was until ${was.until}, by ${was.by}: ${was.reason}`;
    return { was, note };
  });
}
