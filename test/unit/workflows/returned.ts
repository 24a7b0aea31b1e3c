/** A host that was lost, fenced, and comes back, in virtual time; what was evacuated from it is placed by hand. */
import { transact } from '../../../activities/inventory/database.js';
import { putFile } from '../../../activities/simulator/files.js';
import { localDirectory } from '../../../activities/simulator/hosts.js';
import { cutPower, restoreHost } from '../../../activities/simulator/host-power.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import { refreshUsage } from '../../../activities/inventory/host-usage.js';
import { recordProbe, setHostEnabled } from '../../../activities/inventory/hosts.js';
import { toJson } from '../../../activities/inventory/rows.js';
import type { Fence, IncidentState, Recovered } from '../../../model/incident.js';
import { refOf, type VirtualCloud } from '../../../virtual/cloud.js';

export const incident = '7d6f0c7e-0000-4000-8000-000000000001';

/** The host loses its power and is fenced, as a recovery that has ended leaves it. */
export async function lose(
  cloud: Pick<VirtualCloud, 'datacenter' | 'inventory'>,
  host: string,
  more: { state?: IncidentState; open?: boolean; fence?: Fence['state']; disabledBy?: string } = {},
): Promise<void> {
  const { inventory, datacenter } = cloud;
  const { state = 'recovered', open = false, fence = 'held', disabledBy } = more;
  await datacenter.transact((tx) => cutPower(tx, host));
  await recordProbe(inventory, host, { up: false, reason: 'no answer' });
  const reason = disabledBy === undefined ? `lost: incident ${incident}` : 'new memory';
  await setHostEnabled(inventory, { host, enabled: false, reason, by: disabledBy ?? 'recovery' });
  const at = inventory.now();
  const evidence = { kind: 'attested' as const, at, says: 'off', device: null, verified: false, by: 'ann' };
  await transact(inventory, async (trx) => {
    await trx
      .updateTable('hosts')
      .set({ fence: toJson({ incident, at, evidence, state: fence } satisfies Fence) })
      .where('name', '=', host)
      .execute();
    await trx
      .insertInto('incidents')
      .values({
        id: incident,
        host,
        domain: '',
        state,
        by: 'ann',
        reason: 'test',
        workflow_id: `virtual/recovery/${host}`,
        instances: '[]',
        opened_at: at,
        ended_at: open ? null : at,
      })
      .execute();
  });
}

/** It boots, and starts what it was told to start by itself. */
export async function comeBack(cloud: VirtualCloud, host: string): Promise<void> {
  await cloud.datacenter.transact((tx) => restoreHost(tx, host));
  await cloud.clock.advance(6_000);
}

export const autostart = (cloud: Pick<VirtualCloud, 'datacenter'>, id: string): Promise<unknown> =>
  cloud.datacenter.transact((tx) => tx.run('update guests set autostart = 1 where id = ?', id));

/** What an evacuation of it comes to: it runs on the other host, from the same disk or a copy of its own. */
export async function placeOn(
  cloud: Pick<VirtualCloud, 'datacenter' | 'inventory'>,
  id: string,
  host: string,
): Promise<void> {
  const { inventory, datacenter } = cloud;
  const row = await inventory.kysely
    .selectFrom('instances')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const disks = JSON.parse(row.disks) as {
    path: string;
    target: string;
    format: 'qcow2';
    readonly: boolean;
  }[];
  await datacenter.transact((tx) => {
    for (const { path } of disks)
      if (path.startsWith(localDirectory))
        putFile(tx, host, { path, format: 'qcow2', bytes: 2 ** 30, allocated: 2 ** 20, refers_to: null });
  });
  const hypervisor = createSimulatedHypervisor(datacenter);
  const spec = { id, name: row.name, vcpus: row.vcpus, memoryMiB: row.memory_mib, disks, bridges: [] };
  await hypervisor.define(refOf(host), spec, { instance: id, operation: 'test', epoch: row.epoch });
  await hypervisor.start(refOf(host), id);
  await datacenter.transact((tx) => tx.run('update guests set stamp_operation = null, stamp_epoch = null'));
  const moved: Recovered = {
    instance: id,
    name: row.name,
    ha: '3',
    was: 'active',
    outcome: 'evacuated',
    host,
    says: '',
  };
  await transact(inventory, async (trx) => {
    await trx.updateTable('instances').set({ host }).where('id', '=', id).execute();
    await trx.updateTable('allocations').set({ host }).where('instance', '=', id).execute();
    await refreshUsage(trx, [row.host ?? '', host]);
    const all = await trx
      .selectFrom('incidents')
      .select('instances')
      .where('id', '=', incident)
      .executeTakeFirst();
    if (all === undefined) return;
    const instances = [...(JSON.parse(all.instances) as Recovered[]), moved];
    await trx
      .updateTable('incidents')
      .set({ instances: toJson(instances) })
      .where('id', '=', incident)
      .execute();
  });
}

/** Names of the guests that the host itself knows, with their power. */
export const guestsOf = async (cloud: Pick<VirtualCloud, 'datacenter'>, host: string): Promise<string[]> =>
  cloud.datacenter.transact((tx) =>
    tx
      .all<{ name: string; power: string }>(
        'select name, power from guests where host = ? order by name',
        host,
      )
      .map(({ name, power }) => `${name} ${power}`),
  );
