import type { Host } from '../../model/host.js';
import type { Runbook } from '../../model/runbook.js';
import type { Inventory } from './database.js';
import { getFlavor } from './flavors.js';
import { getHost } from './hosts.js';
import { getInstance } from './instances.js';

/** What the inputs of a run name must be there. Answers the hosts; throws NotFound, Ambiguous. */
export async function requireInputs(
  inventory: Inventory,
  { inputs: declared }: Pick<Runbook, 'inputs'>,
  inputs: Readonly<Record<string, unknown>>,
): Promise<Host[]> {
  const hosts: Host[] = [];
  for (const [name, { type }] of Object.entries(declared)) {
    const value = inputs[name];
    if (typeof value !== 'string') continue;
    if (type === 'host') hosts.push(await getHost(inventory, value));
    if (type === 'instance') await getInstance(inventory, value);
    if (type === 'flavor') await getFlavor(inventory, value);
  }
  return hosts;
}
