/** Findings on hosts that were fenced and answer again: nothing is judged of them but what must not run there. */
import type { Found } from './guests.js';
import type { World } from './world.js';

export function* quarantineFindings(world: World): Generator<Found> {
  for (const [host, seen] of world.hosts) {
    if (seen.state !== 'silent') continue;
    for (const { instance, name, elsewhere } of seen.quarantined ?? []) {
      const finding = {
        kind: 'two-copies',
        instance,
        name,
        host,
        path: null,
        seen: `${name} runs on ${host}, which is fenced and came back; the record says ${elsewhere}`,
        why: 'both write to the same disk, if it is shared, and destroy it; both answer for the same addresses',
        todo: `now: drover host readmit ${host} ends and removes it`,
        repair: null,
      } as const;
      yield { finding, repair: null };
    }
  }
}
