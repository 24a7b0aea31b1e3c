/** Findings on the inventory itself: whether it is the one that the hosts have worked with. */
import type { Finding } from '../../model/audit.js';
import { olderRows } from '../inventory/restored.js';
import type { Found } from './guests.js';
import type { World } from './world.js';

/** Also of instances that nobody else should judge now: hosts are looked at before the rows are read. */
export function* olderFindings(world: World): Generator<Found> {
  const sightings = [...world.sightings.values()].flat();
  for (const { instance, host, operation, recorded, stamped } of olderRows(
    world.instances,
    sightings,
    world.operations,
  )) {
    const name = world.byId.get(instance)?.name ?? null;
    const finding: Finding = {
      kind: 'older-inventory',
      instance,
      name,
      host,
      path: null,
      seen: `${name} on ${host} was worked on by operation ${operation} (epoch ${stamped}), which its row (epoch ${recorded}) knows nothing of`,
      why: 'the inventory was restored from an older backup: hosts refuse its operations as late, and it does not know what came since',
      todo: 'drover audit inventory --repair',
      repair:
        'raise the epochs of all instances above what the hosts have seen; operations that run are ended by that',
    };
    yield { finding, repair: { by: 'epochs' } };
  }
}
