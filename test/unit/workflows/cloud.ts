/** A small cloud in virtual time, what can be seen in all of it at once, and what can be done to it. */
import { giveFault, type Fault } from '../../../activities/simulator/faults.js';
import { getOperation } from '../../../activities/inventory/records.js';
import { DroverError } from '../../../model/errors.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import type { Ending } from '../../../virtual/ending.js';
import type { Trouble } from '../../../virtual/trouble.js';
import { realityOf } from '../../proof/reality.js';
import { heard } from '../../proof/stage.js';
import { mistold as disagrees } from '../../proof/told.js';

/** What a datacenter is looked at in, whichever Temporal there is. */
type Seen = Pick<VirtualCloud, 'datacenter'>;

export const openCloud = (): Promise<VirtualCloud> => VirtualCloud.open({ hosts: ['h1', 'h2', 'h3'] });

/** Everything but the images: `local/h1:/var/lib/…/web-1.qcow2`. */
export const disks = (cloud: Seen): Promise<string[]> =>
  cloud.datacenter.transact((tx) =>
    tx
      .all<{ store: string; path: string }>(
        `select store, path from files where store <> 'images' order by store, path`,
      )
      .map(({ store, path }) => `${store}:${path}`),
  );

/** Where the guest runs or is frozen. */
export async function alive(cloud: VirtualCloud, id: string): Promise<string[]> {
  const real = await realityOf(cloud.datacenter, await cloud.instance(id));
  return real.alive.map(({ host }) => host);
}

/** How often its guest has booted. */
export const boots = (cloud: Seen, id: string): Promise<number | undefined> =>
  cloud.datacenter.transact(
    (tx) => tx.one<{ boots: number }>('select sum(boots) as boots from guests where id = ?', id)?.boots,
  );

/** How many migrations run. */
export const migrations = (cloud: Seen): Promise<number> =>
  cloud.datacenter.transact((tx) => tx.all('select id from migrations where ended_at is null').length);

/** Lets time pass until it is so; one that never is fails. */
export async function until(
  cloud: VirtualCloud,
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let times = 0; !(await holds()); times += 1) {
    if (times > 6000) throw new Error(`not within ten minutes: ${what}`);
    await cloud.clock.advance(100);
  }
}

/** Lets time pass until so many migrations run. */
export const migrating = (cloud: VirtualCloud, count = 1): Promise<void> =>
  until(cloud, `${count} migrations run`, async () => (await migrations(cloud)) === count);

/** Somebody has removed its guest, behind drover's back. */
export const loseGuest = (cloud: Seen, id: string): Promise<void> =>
  cloud.datacenter.transact((tx) => tx.run('delete from guests where id = ?', id));

export const fault = (cloud: Seen, given: Fault): Promise<void> =>
  cloud.datacenter.transact((tx) => giveFault(tx, given));

/** From now on migrations from the host take hours. */
export const slowLink = (cloud: Seen, host = 'h1'): Promise<void> =>
  fault(cloud, { do: 'slow', hosts: [host], bandwidth: 0.01 });

/** What the caller heard and what the record of the operation says, where they differ. */
export const mistold = async (cloud: VirtualCloud, id: string, ending: Ending): Promise<string[]> =>
  disagrees(await getOperation(cloud.inventory, id), heard(ending));

/** A call that says no for good. */
export const no = (
  at: number | string,
  when: 'before' | 'within' | 'after' = 'within',
  error = new DroverError('HypervisorError', 'it said no'),
): Trouble => ({ at, when, fail: { error } });
