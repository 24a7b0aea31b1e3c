import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import type { Ctx } from '../../ctx.js';
import type { Outcome } from '../../define.js';

/** What an evacuation does where its instance turned out to be on the side that lives: nothing, unless it is there in half. */
export async function goesOn(ctx: Ctx, beside: HostRef | null): Promise<Outcome> {
  const { id: instance, name, state, powerState } = ctx.instance;
  const host = await ctx.host();
  const half = state === 'error' && powerState === 'migrating';
  if (!half) {
    const seen = await ctx.observe(beside === null ? [] : [beside]);
    return {
      ...seen,
      result: { to: host.name, state: seen.patch.state ?? state, told: `it is on ${host.name}, which lives` },
    };
  }
  const guest = { instance, name, host };
  ctx.phase('starting', `boot afresh on ${host.name}: its other half was lost`);
  const { left } = await ctx.call('clearHalves', guest);
  const { power } = await ctx.call('startGuest', guest);
  if (power !== 'running')
    throw new DroverError('HypervisorError', `${name} was started on ${host.name}, and is ${power}`);
  return {
    patch: {
      state: 'active',
      powerState: power,
      fault: null,
      cause: 'its host was lost while its memory moved',
    },
    result: {
      to: host.name,
      state: 'active',
      told: 'half of its memory is lost; it has booted from its disk',
      left,
    },
  };
}
