/** Looks at a silent host from everywhere at once: one round of questions, and what it means. */
import { vantagePlace } from '../../model/addresses.js';
import type { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Signal, Testimony, Verdict } from '../../model/incident.js';
import type { HostCtx } from '../ctx.js';
import { asDroverError } from '../unwind.js';
import type { Recovery } from './recovery.js';
import { judge } from './verdict.js';

export async function look({ ctx, ref: host, opened }: Recovery): Promise<Verdict> {
  const { vantages, others } = opened;
  const testimonies: Testimony[] = [];
  const unheard: { vantage: string; why: string }[] = [];
  const ask = async (vantage: string): Promise<void> => {
    try {
      const at = vantagePlace(vantage, host);
      testimonies.push({ ...(await ctx.call('testify', { host, others }, { at })), vantage });
    } catch (cause) {
      unheard.push({ vantage, why: refused(cause).message });
    }
  };
  const [sign] = await Promise.all([workerSign(ctx, host), ...vantages.map(ask)]);
  const order = (one: { vantage: string }): number => vantages.indexOf(one.vantage);
  return judge({
    host: host.name,
    // In the order of the configuration, whoever was first.
    testimonies: testimonies.toSorted((a, b) => order(a) - order(b)),
    unheard: unheard.toSorted((a, b) => order(a) - order(b)),
    signs: [sign],
  });
}

/** So long the worker of the host may take for a task that is nothing. */
const workerSeconds = 5;

/** Its worker takes a task: its way is through Temporal, and not through the hypervisor. */
async function workerSign(ctx: HostCtx, host: HostRef): Promise<Signal> {
  try {
    await ctx.call('bootId', {}, { on: host, within: workerSeconds });
    return { signal: 'worker', seen: 'answers', detail: 'its worker takes tasks' };
  } catch (cause) {
    return { signal: 'worker', seen: 'silent', detail: refused(cause).message };
  }
}

/** Why nothing was seen. A cancel is no testimony. */
function refused(cause: unknown): DroverError {
  const error = asDroverError(cause);
  if (error.code === 'Cancelled') throw error;
  return error;
}
