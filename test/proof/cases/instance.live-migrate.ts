import { transact } from '../../../activities/inventory/database.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import { defaultMovePolicy, type MovePolicy } from '../../../model/instance.js';
import type { Place } from '../case.js';
import { onInstance } from '../place.js';

const toSecond = {
  input: ({ hosts }: { hosts: readonly { name: string }[] }) => ({ host: hosts[1]?.name }),
  host: 1,
} as const;

export const cases = [
  onInstance('on shared storage', { ...toSecond, well: 'active' }),
  onInstance('copying its disk', { ...toSecond, guest: { local: true }, well: 'active' }),
  onInstance('of a paused guest', { ...toSecond, guest: { state: 'paused' }, well: 'paused' }),
  onInstance('by post-copy', {
    ...toSecond,
    well: 'active',
    more: (place) => restless(place, { postCopy: true }),
  }),
  onInstance('cold, since it stalls', {
    input: ({ hosts }) => ({ host: hosts[1].name, fallback: 'cold', no_progress: '2s' }),
    host: 1,
    guest: { local: true },
    well: 'active',
    more: (place) => restless(place, {}),
  }),
  onInstance('to a host that has a guest of its name', {
    ...toSecond,
    host: 0,
    guest: { local: true },
    well: 'active',
    fails: 'HypervisorError',
    // Nobody's of ours: made by hand on that host, on a disk of its own.
    more: namesake,
  }),
];

async function namesake(place: Place): Promise<void> {
  const { hosts, datacenter, name } = place;
  const spec = { id: place.uuid(), name, vcpus: 1, memoryMiB: 128, disks: [], bridges: [] };
  const stamp = { instance: spec.id, operation: 'by hand', epoch: 0 };
  await createSimulatedHypervisor(datacenter).define(hosts[1], spec, stamp);
}

/** It writes faster than any link carries. */
async function restless({ datacenter, inventory, name }: Place, policy: Partial<MovePolicy>): Promise<void> {
  await datacenter.transact((tx) => tx.run('update guests set dirty = ? where name = ?', 2 ** 40, name));
  const row = { move_policy: JSON.stringify({ ...defaultMovePolicy, ...policy }) };
  await transact(inventory, (trx) =>
    trx.updateTable('instances').set(row).where('name', '=', name).execute(),
  );
}
