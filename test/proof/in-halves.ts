/** What a post-copy left whose stream broke for good: two halves, and a record that it failed. Made without a workflow. */
import { transact } from '../../activities/inventory/database.js';
import { hypervisorInventory } from '../../activities/inventory/for-hypervisor.js';
import { setPower } from '../../activities/simulator/guests.js';
import { createSimulatedHypervisor } from '../../activities/simulator/hypervisor.js';
import type { Place } from './case.js';

/** The guest is off on the first host; from now on its newer half is on the second, and so is the instance. */
export async function inHalves(place: Place): Promise<void> {
  const { datacenter, inventory, name, hosts } = place;
  const [source, target] = hosts;
  const { id: instance } = await transact(inventory, (trx) =>
    trx
      .updateTable('instances')
      .set({
        state: 'error',
        power_state: 'migrating',
        host: target.name,
        fault: 'the post-copy of it failed',
      })
      .where('name', '=', name)
      .returning('id')
      .executeTakeFirstOrThrow(),
  );
  await transact(inventory, (trx) =>
    trx.updateTable('allocations').set({ host: target.name }).where('instance', '=', instance).execute(),
  );
  const record = hypervisorInventory(inventory);
  const id = place.uuid();
  const both = { source: source.name, target: target.name };
  await record.migrationStarted({ id, operation: place.uuid(), instance, ...both, storage: 'shared' });
  await record.ladderStep(id, { rung: 'post-copy', says: 'switched over', by: null });
  const nothing = { downtimeMs: null, totalMs: null, transferredBytes: null };
  await record.migrationEnded(id, { state: 'failed', ...nothing, reason: 'the stream broke' });
  await createSimulatedHypervisor(datacenter).copyDefinition(source, target, instance);
  await datacenter.transact((tx) => {
    for (const host of [source, target]) setPower(tx, host.name, instance, 'migrating', 'post-copy failed');
  });
}
