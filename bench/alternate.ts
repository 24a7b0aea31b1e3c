import { performance } from 'node:perf_hooks';
import type { Session } from './session.js';
import type { Samples } from './statistics.js';

/**
 * Takes `n` samples of each side in turns, so that what else the machine does hits both alike. Who is first
 * changes from pair to pair. Samples of the `warmUp` pairs are thrown away.
 */
export async function alternate(options: {
  session: Session;
  n: number;
  warmUp: number;
  ours: () => Promise<number>;
  baseline: () => Promise<number>;
}): Promise<Samples> {
  const { session, n, warmUp, ours, baseline } = options;
  const samples: Samples = { ours: [], baseline: [] };
  for (let pair = 0; pair < warmUp + n; pair += 1) {
    const taken: { ours?: number; baseline?: number } = {};
    const order = pair % 2 === 0 ? (['ours', 'baseline'] as const) : (['baseline', 'ours'] as const);
    for (const side of order) {
      session.signal.throwIfAborted();
      taken[side] = await (side === 'ours' ? ours() : baseline());
    }
    const { ours: one = NaN, baseline: other = NaN } = taken;
    const number = pair < warmUp ? 'warm-up' : `${pair - warmUp + 1}/${n}`;
    session.say(`${number}: ours ${one.toFixed(1)}, baseline ${other.toFixed(1)}`);
    if (pair < warmUp) continue;
    samples.ours.push(one);
    samples.baseline.push(other);
  }
  return samples;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
