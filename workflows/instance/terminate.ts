import { z } from 'zod';
import type { IntentCall } from '../../model/operation.js';
import { intent, type Ctx } from '../ctx.js';
import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';
import { removal } from './steps/cold-move.js';

export const terminate = defineOperation({
  name: 'terminate',
  summary: 'Remove an instance for good: its guest, its disks and its allocations.',
  input: instanceRef.extend({
    keep_disks: z.boolean().default(false).describe('Leave the disks where they are'),
  }),
  allowedStates: 'any',
  endsIn: ['deleted'],
  errors: ['ConfirmationNeeded', 'CleanupIncomplete'],
  undone:
    'Nothing once it has begun to remove: half an instance is of no use, so whoever finishes it goes forward.',
  doing: 'deleting',
  respectsNeedsRepair: false,
  whenGone: 'deleted',
  async run(input, ctx) {
    const { id, name, disks } = ctx.instance;
    const removed: string[] = [];
    // Carried out last: a host that is down must not keep what is here.
    const cleanup = input.keep_disks ? [] : await oldCopies(ctx);
    if (ctx.instance.host) {
      const host = await ctx.host();
      if (!input.keep_disks) {
        for (const disk of disks.filter((d) => !d.readonly)) {
          removed.push(disk.path);
          const what = { instance: id, path: disk.path };
          cleanup.push(intent('removeDisk', what, `the disk ${disk.path} on ${host.name}`, host));
        }
      }
      // Carried out newest first: the guest goes before its disks.
      cleanup.push(intent('removeGuest', { instance: id, name, host }, `the guest ${name} on ${host.name}`));
    }
    // The point of no return: half a guest is of no use, so from here it only goes forward, whoever finishes it.
    await ctx.commit({}, cleanup);
    return {
      patch: { state: 'deleted', powerState: 'absent', host: null },
      result: { disksRemoved: removed },
    };
  },
});

/** What is kept of the place before a resize that nobody confirmed goes with it; it is of no use to anybody else. */
async function oldCopies({ instance: { id, resized }, call }: Ctx): Promise<IntentCall[]> {
  // Not even null in histories of old.
  if (!resized || resized.copied.length === 0) return [];
  const old = await call('getHost', { host: resized.host });
  return resized.copied.map((path) => removal(id, { path }, old));
}
