import { listHosts } from '../../activities/inventory/hosts.js';
import { paintState } from '../paint.js';
import type { Stage } from './stage.js';
import type { Teller } from './tell.js';

/** As drover's inventory has them. */
export async function tellHosts({ caller }: Stage, tell: Teller): Promise<void> {
  const hosts = await listHosts(caller.inventory);
  await tell.rows(
    ['HOST', 'RACK', 'STATE', 'ENABLED', 'INSTANCES', 'VCPUS', 'MEMORY MiB'],
    hosts.map((host) => [
      host.name,
      host.labels['rack'] ?? '',
      paintState(host.state),
      host.enabled ? 'yes' : `no: ${host.disabledReason ?? ''}`,
      String(host.instances),
      `${host.vcpusUsed}/${host.vcpus}`,
      `${host.memoryMiBUsed}/${host.memoryMiB}`,
    ]),
  );
}
