/** Would what runs find room elsewhere if hosts were lost? */
import { capacitySnapshot } from '../activities/inventory/capacity.js';
import { lossOf, type Loss } from '../activities/inventory/placement/loss.js';
import { spareOf, type Spare } from '../activities/inventory/placement/spare.js';
import type { Caller } from './caller.js';

type Asking = Pick<Caller, 'inventory' | 'strategy'>;

const how = ({ strategy }: Asking) => (strategy === undefined ? {} : { strategy });

/** How many hosts the fleet can lose; `fits`: at least one, any of them. */
export async function fleetCapacity(asking: Asking): Promise<{ fits: boolean } & Spare> {
  const spare = spareOf(await capacitySnapshot(asking.inventory, how(asking)));
  return { fits: spare.spare > 0, ...spare };
}

/** As if these hosts were lost; `fits`: all that is on them would find room. */
export async function capacityWithout(asking: Asking, without: string[]): Promise<{ fits: boolean } & Loss> {
  const snapshot = await capacitySnapshot(asking.inventory, { ...how(asking), without });
  const loss = lossOf(snapshot, without);
  return { fits: loss.unplaced.length === 0, ...loss };
}
