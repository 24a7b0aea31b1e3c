import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { Resized } from '../../model/instance.js';
import type { Ctx } from '../ctx.js';
import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';
import { removal } from './steps/cold-move.js';

export const confirmResize = defineOperation({
  name: 'confirm-resize',
  summary: 'Keep what a resize or a cold migration made, and give back what was held of the place before.',
  input: instanceRef.extend({
    of: z.string().optional().describe('Only that of this operation; of another one there is nothing to do'),
  }),
  allowedStates: ['resized'],
  endsIn: ['active', 'stopped'],
  errors: ['HostWorkerMissing', 'DiskError', 'CleanupIncomplete'],
  undone: 'Nothing: what was held is given back at once, and then there is no way back.',
  doing: 'confirming',
  async run({ of }, ctx) {
    const resized = requireResized(ctx);
    if (of !== undefined && of !== resized.operation) {
      return {
        patch: {},
        result: { note: `it was confirmed or reverted; this one is of ${resized.operation}` },
      };
    }
    const { id } = ctx.instance;
    const seen = await ctx.observe();
    const power = seen.patch.powerState;
    if (power === undefined || power === 'unknown') {
      const { host, name } = ctx.instance;
      throw new DroverError('HypervisorUnreachable', `${host} does not tell whether ${name} runs`);
    }
    const state = power === 'running' ? 'active' : power === 'paused' ? 'paused' : 'stopped';
    const patch = { state, powerState: power, host: ctx.instance.host, resized: null } as const;
    const old = resized.copied.length > 0 ? await ctx.call('getHost', { host: resized.host }) : null;
    const cleanup = old === null ? [] : resized.copied.map((path) => removal(id, { path }, old));
    // The point of no return: what was held of the old place is free for others.
    await ctx.commit(patch, cleanup);
    return { patch, result: { kind: resized.kind, removed: resized.copied, left: resized.host } };
  },
});

export function requireResized({ instance }: Ctx): Resized {
  if (instance.resized !== null) return instance.resized;
  throw new DroverError('WrongState', `${instance.name} holds no place before: there is nothing to confirm`);
}
