/** A host that was fenced, and is back with what it had: a guest that runs elsewhere by now, and one that never left. */
import { transact } from '../../../activities/inventory/database.js';
import { getHost, setHostEnabled } from '../../../activities/inventory/hosts.js';
import { toJson } from '../../../activities/inventory/rows.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import type { Fence } from '../../../model/incident.js';
import type { Case, Place } from '../case.js';
import { adopt } from '../place.js';

export const cases: Case[] = [
  readmitted('with a second copy that runs', { runs: true }),
  readmitted('with a definition and an old disk', { runs: false }),
  { ...readmitted('that nobody has fenced', { runs: false, fenced: false }), fails: 'WrongState' },
];

function readmitted(title: string, { runs, fenced = true }: { runs: boolean; fenced?: boolean }): Case {
  return {
    title,
    async setUp(place) {
      const [elsewhere, , host] = place.hosts;
      const moved = await adopt(place, { on: elsewhere, local: true });
      const kept = await adopt(place, { name: `${place.name}-kept`, on: host });
      await leaveStale(place, moved, runs);
      if (fenced) await fence(place);
      const back = async (): Promise<string[]> => {
        const { guests, readmitted: closed } = await look(place, [moved, kept]);
        const wanted = [`${elsewhere.name} ${moved} running`, `${host.name} ${kept} running`];
        return [
          ...(guests.join() === wanted.toSorted().join()
            ? []
            : [`readmitted, and there is ${guests.join(', ')}`]),
          ...(closed ? [] : ['readmitted, and its incident is not told so']),
        ];
      };
      return {
        input: { host: host.name, remove_stale_disks: true },
        async wrong(done) {
          const told = await getHost(place.inventory, host.name);
          if (!fenced) return told.fence === null && told.enabled ? [] : ['refused, and it was changed'];
          if (told.fence === null)
            return [...(told.enabled ? [] : ['readmitted, and still disabled']), ...(await back())];
          return [
            ...(done === true ? ['done, and it is still fenced'] : []),
            ...(told.enabled ? ['it takes instances, and is fenced'] : []),
          ];
        },
        second: {
          act: async () => {
            const { name } = host;
            await setHostEnabled(place.inventory, {
              host: name,
              enabled: false,
              reason: 'why',
              by: 'another',
            });
          },
          async wrong() {
            const told = await getHost(place.inventory, host.name);
            return fenced && told.enabled ? ['somebody had disabled it, and it is enabled'] : [];
          },
        },
      };
    },
  };
}

/** The definition and the disk that it had before it was evacuated. */
async function leaveStale(place: Place, id: string, runs: boolean): Promise<void> {
  const [, , host] = place.hosts;
  const row = await place.inventory.kysely
    .selectFrom('instances')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const { name, vcpus, memory_mib: memoryMiB } = row;
  const disks = JSON.parse(row.disks) as [];
  const before = { instance: id, operation: place.uuid(), epoch: 0 };
  const hypervisor = createSimulatedHypervisor(place.datacenter);
  await hypervisor.define(host, { id, name, vcpus, memoryMiB, disks, bridges: [] }, before);
  const power = runs ? 'running' : 'shutoff';
  await place.datacenter.transact((tx) =>
    tx.run('update guests set power = ?, autostart = 1 where host = ? and id = ?', power, host.name, id),
  );
}

async function fence({ inventory, hosts, ...place }: Place): Promise<void> {
  const [, , { name }] = hosts;
  const incident = place.uuid();
  const at = inventory.now();
  const evidence = { kind: 'attested' as const, at, says: 'off', device: null, verified: false, by: 'ann' };
  const held: Fence = { incident, at, evidence, state: 'held' };
  await transact(inventory, async (trx) => {
    await trx
      .updateTable('hosts')
      .set({
        fence: toJson(held),
        enabled: 0,
        disabled_by: 'ann',
        disabled_reason: `lost (incident ${incident})`,
      })
      .where('name', '=', name)
      .execute();
    await trx
      .insertInto('incidents')
      .values({
        id: incident,
        host: name,
        domain: '',
        state: 'recovered',
        by: 'ann',
        reason: 'test',
        workflow_id: '',
        instances: '[]',
        opened_at: at,
        ended_at: at,
      })
      .execute();
  });
}

/** Where guests of these instances are, and whether the host's incident is closed by a readmission. */
async function look({ datacenter, inventory, hosts }: Place, ids: readonly string[]) {
  const [, , { name }] = hosts;
  const rows = await datacenter.transact((tx) =>
    tx.all<{ host: string; id: string; power: string }>('select host, id, power from guests'),
  );
  const open = await inventory.kysely
    .selectFrom('incidents')
    .select('id')
    .where('host', '=', name)
    .where('readmitted_at', 'is', null)
    .execute();
  const guests = rows
    .filter(({ id }) => ids.includes(id))
    .map(({ host, id, power }) => `${host} ${id} ${power}`);
  return { guests: guests.toSorted(), readmitted: open.length === 0 };
}
