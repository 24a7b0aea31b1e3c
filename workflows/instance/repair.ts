import { z } from 'zod';
import type { HostRef } from '../../model/host.js';
import { instanceRef } from '../inputs.js';
import { defineOperation, type Outcome } from '../define.js';
import type { Ctx } from '../ctx.js';
import { isBroughtBack, whatHappened } from '../happened.js';

const leavings = ['definition', 'saved-memory', 'autostart'] as const;

/**
 * The operation of the janitor, and of whoever hears of a guest that went off by itself. The wrapper reconciles every
 * unclosed predecessor before it calls `run`, so all that is left to do here is to look once more, to write down what
 * is so, and why. Bringing the guest back is an operation of its own, which whoever asked for this one begins.
 */
export const repair = defineOperation({
  name: 'repair',
  summary: 'Settle what an operation that no longer runs left behind, and record where the guest really is.',
  input: instanceRef.extend({
    also: z.array(z.string()).default([]).describe('Other hosts to look at, where its guest may be'),
    remove: z
      .array(z.enum(leavings))
      .default([])
      .describe(
        'What to remove: definition and saved-memory on those other hosts, autostart where it is; from an audit',
      ),
  }),
  allowedStates: 'any',
  endsIn: 'as seen',
  errors: ['CleanupIncomplete', 'HostWorkerMissing', 'DiskError'],
  undone:
    'Nothing of its own: it takes back, or completes, what earlier operations left open, and records what is so.',
  doing: 'repairing',
  respectsLock: false,
  respectsNeedsRepair: false,
  async run({ also: names, remove }, ctx) {
    ctx.phase('repairing', 'look where it is and what it does');
    const also: HostRef[] = [];
    for (const host of names) also.push(await ctx.call('getHost', { host }));
    const seen = await ctx.observe(also);
    await removeLeavings(seen, { also, remove }, ctx);
    const { patch, left } = await withCause(seen, ctx);
    // What reconciling could not settle just now is still to be settled: the janitor comes again.
    const { needsRepair } = ctx.instance;
    const result = patch.happened ? resultOf(patch) : undefined;
    return {
      patch,
      left: needsRepair === null ? left : [...left, needsRepair],
      ...(result === undefined ? {} : { result }),
    };
  },
});

/**
 * Only where it is certain where the guest is: on one host, whole, and off everywhere else. Each is looked at again by
 * the step that removes it.
 */
async function removeLeavings(
  { patch, left }: Seen,
  { also, remove }: { also: readonly HostRef[]; remove: readonly (typeof leavings)[number][] },
  ctx: Ctx,
): Promise<void> {
  const { id: instance, name, resized, saved } = ctx.instance;
  if (remove.length === 0 || !patch.host || patch.state === 'error' || left.length > 0) return;
  const guest = { instance, name };
  for (const host of also) {
    // What a resize keeps is not left over; nor is the memory of a suspended guest.
    if (host.name === patch.host || host.name === resized?.host) continue;
    // The memory first: a hypervisor that does not know of it refuses to remove the definition that it is of.
    if (remove.includes('saved-memory') && saved?.host !== host.name && patch.state !== 'suspended')
      await ctx.call('removeSavedMemory', guest, { on: host });
    if (remove.includes('definition')) await ctx.call('removeDefinition', { ...guest, host });
  }
  if (remove.includes('autostart')) {
    const host = await ctx.call('getHost', { host: patch.host });
    await ctx.call('disableAutostart', { ...guest, host });
  }
}

type Seen = Awaited<ReturnType<Ctx['observe']>>;

async function withCause({ patch, left, sightings }: Seen, ctx: Ctx): Promise<Outcome & { left: string[] }> {
  const { instance } = ctx;
  const where = patch.host ?? instance.host;
  const seen = sightings.find(({ host }) => host === where);
  const happened = whatHappened(instance, patch, seen);
  if (happened === null) return { patch, left };
  // Instances in histories of old have no policy.
  const policy = instance.restartPolicy ?? 'never';
  if (left.length > 0 || !isBroughtBack(policy, happened.event))
    return { patch: { ...patch, happened }, left };
  const { refused } = await ctx.call('mayRestart', { instance: instance.id });
  if (refused !== null)
    return { patch: { ...patch, happened: { ...happened, cause: `${happened.cause}; ${refused}` } }, left };
  const todo = `nothing: its restart policy (${policy}) starts it again`;
  return { patch: { ...patch, happened: { ...happened, todo }, restartDue: true }, left };
}

const resultOf = ({ happened, restartDue }: Outcome['patch']): Record<string, unknown> => ({
  note: happened?.cause,
  ...(restartDue === true ? { restart: 'due' } : {}),
});
