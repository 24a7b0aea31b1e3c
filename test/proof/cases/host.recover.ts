/**
 * A host that nobody has lost. What a lost one goes through is swept by test/unit/workflows/recover-sweep.test.ts: there
 * steps fail by themselves, since the host is silent, and a recovery that was broken off is asked for again.
 */
import { getHost } from '../../../activities/inventory/hosts.js';
import { copiesOf } from '../../../activities/simulator/guests.js';
import type { Case } from '../case.js';
import { adopt } from '../place.js';

export const cases: Case[] = [
  alive('that lives', { controlPlane: false }),
  { ...alive('of the control plane', { controlPlane: true }), fails: 'RecoveryHeld' },
];

/** Whatever happens to its recovery, its guest runs where it ran, and nobody has fenced or closed it. */
function alive(title: string, { controlPlane }: { controlPlane: boolean }): Case {
  return {
    title,
    async setUp(place) {
      const [, , host] = place.hosts;
      const id = await adopt(place, { on: host });
      const mark = { control_plane: controlPlane ? 1 : 0 };
      await place.inventory.kysely.updateTable('hosts').set(mark).where('name', '=', host.name).execute();
      const wrong = async (): Promise<string[]> => {
        const { fence, enabled } = await getHost(place.inventory, host.name);
        const copies = await place.datacenter.transact((tx) => copiesOf(tx, id));
        const runs = copies.filter(({ power }) => power === 'running').map((copy) => copy.host);
        return [
          ...(fence === null ? [] : ['it lives, and is fenced']),
          ...(enabled ? [] : ['it lives, and is closed']),
          ...(runs.join() === host.name ? [] : [`its guest runs on ${runs.join(' and ') || 'no host'}`]),
        ];
      };
      return {
        input: { host: host.name, reason: 'test' },
        wrong,
        second: { act: async () => undefined, wrong },
      };
    },
  };
}
