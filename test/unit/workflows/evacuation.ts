/** A host that is lost and fenced, as a recovery leaves it to evacuations. */
import { transact } from '../../../activities/inventory/database.js';
import { recordProbe } from '../../../activities/inventory/hosts.js';
import { writeFence } from '../../../activities/inventory/incidents.js';
import { cutPower } from '../../../activities/simulator/host-power.js';
import type { Fence } from '../../../model/incident.js';
import type { World } from '../../proof/case.js';

const at = '2026-01-01T00:00:00.000Z';
const evidence = {
  kind: 'attested' as const,
  at,
  says: 'somebody pulled its plug',
  device: null,
  verified: false,
  by: 'ada',
};

/** Its power goes, and a person has seen that it is off. */
export async function loseAndFence(
  { datacenter, inventory }: Pick<World, 'datacenter' | 'inventory'>,
  host: string,
  state: Fence['state'] = 'held',
): Promise<void> {
  await datacenter.transact((tx) => cutPower(tx, host));
  await fence({ inventory }, host, state);
}

export async function fence(
  { inventory }: Pick<World, 'inventory'>,
  host: string,
  state: Fence['state'] = 'held',
): Promise<void> {
  await recordProbe(inventory, host, { up: false, reason: 'it does not answer' });
  await transact(inventory, (trx) => writeFence(trx, host, { incident: 'incident-1', at, evidence, state }));
}
