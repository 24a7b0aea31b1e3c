/** A random mix of operations on a cloud, the same for the same seed. */
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { seeded } from '../../../virtual/random.js';

const kinds = ['stop', 'start', 'pause', 'unpause', 'live-migrate', 'reboot'] as const;

/** Starts `count` operations, at most `lanes` at a time; answers how many went well. */
export async function mix(
  cloud: VirtualCloud,
  instances: readonly string[],
  { seed, count, lanes }: { seed: number; count: number; lanes: number },
): Promise<number> {
  const random = seeded(seed);
  const free = [...instances];
  let left = count;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const [instance = ''] = free.splice(random.below(free.length), 1);
      const ending = await cloud.operation(`instance.${random.pick(kinds)}`, { instance }).run.ended;
      if (ending.end === 'done') done += 1;
      free.push(instance);
    }
  };
  await cloud.clock.drive(Promise.all(Array.from({ length: lanes }, lane)));
  return done;
}
