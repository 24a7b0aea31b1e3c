/** What `drover audit inventory` would find now, without its workflow: a judge that knows nothing of the case. */
import { findAll } from '../../activities/audit/find.js';
import { seenGuest } from '../../activities/audit/look.js';
import { diskDirectories, recorded } from '../../activities/audit/recorded.js';
import type { Inventory } from '../../activities/inventory/database.js';
import type { Datacenter } from '../../activities/simulator/datacenter.js';
import { list } from '../../activities/simulator/disk-lists.js';
import { guestsOn, viewOf } from '../../activities/simulator/guests.js';
import { allHosts } from '../../activities/simulator/hosts.js';
import type { Finding, SeenHost } from '../../model/audit.js';

/** `only`: what is found of the others is of no use then, since their guests are left out to save time. */
async function auditNow(
  world: { inventory: Inventory; datacenter: Datacenter },
  only: string | undefined,
): Promise<Finding[]> {
  const directories = await diskDirectories(world.inventory, 50);
  const seen = await world.datacenter.transact((tx) => {
    const found = new Map<string, SeenHost>();
    for (const host of allHosts(tx)) {
      // A host that is off tells nothing, and is waited for by nobody here.
      const answers = host.power === 'on' && host.daemon === 1 && host.hung === 0 && host.cut === 0;
      if (!answers) continue;
      const guests = guestsOn(tx, host.name)
        .filter(({ id }) => only === undefined || id === only)
        .map((row) => seenGuest(viewOf(row)));
      const disks = guests.flatMap((guest) => guest.disks);
      const { directories: listed, made, ...files } = list(tx, host.name, { directories, disks, full: true });
      const all = [...listed.flatMap((one) => one.files ?? []), ...made];
      found.set(host.name, { state: 'answered', guests, files: { ...files, found: all } });
    }
    return found;
  });
  // Nobody changes anything meanwhile: what was changed just now is judged, too.
  const since = '9999';
  return findAll(await recorded(world.inventory, { since, seen })).findings;
}

/** As sentences, the rule before the colon; of one instance, or of all. */
export const auditSentences = async (
  world: Parameters<typeof auditNow>[0],
  only?: string,
): Promise<string[]> =>
  (await auditNow(world, only))
    .filter(({ instance }) => only === undefined || instance === only)
    .map(({ kind, seen }) => `an audit finds ${kind}: ${seen}`);
