import { z } from 'zod';
import type { ClaimAnswer, PlacementRequest } from '../../activities/types.js';
import { durationSchema } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import { intent, type Ctx } from '../ctx.js';
import { defineOperation, type Outcome } from '../define.js';
import { grace, instanceRef, seconds, storageInput } from '../inputs.js';
import { probeStorage, refuseCopies } from './probe-storage.js';
import { coldMove } from './steps/cold-move.js';
import { confirmAfter, confirmLater, hold } from './steps/hold.js';
import { nothingToMove } from './steps/nothing-to-move.js';

const input = instanceRef.extend({
  host: z.string().optional().describe('The target; without it drover chooses'),
  from: z.string().optional().describe('Only if it is on this host; elsewhere there is nothing to do'),
  grace: grace('60s'),
  confirm_after: confirmAfter,
  storage: storageInput,
  wait: durationSchema.default('0s').describe('How long to wait for a free migration slot'),
  attempts: z.int().min(1).max(10).default(3).describe('How many hosts to try'),
});
type Migrate = z.output<typeof input>;

export const migrate = defineOperation({
  name: 'migrate',
  summary: 'Move an instance to another host while it is off; the old place is held until that is confirmed.',
  input,
  allowedStates: ['active', 'stopped'],
  endsIn: ['resized', 'active', 'stopped'],
  errors: [
    'NoValidHost',
    'NoMigrationSlot',
    'HostWorkerMissing',
    'DiskError',
    'AlreadyExists',
    'CleanupIncomplete',
  ],
  undone:
    'The guest goes back to the source and runs there again, if it ran; the target is cleaned and its claim released. Once the guest runs on the target it stays there.',
  doing: 'migrating',
  needs: 'coldMigration',
  places: (i, instance) =>
    instance === null || instance.host === null || (i.from ?? instance.host) !== instance.host
      ? null
      : room(i, instance, instance.host, []),
  async run(i, ctx) {
    const { name } = ctx.instance;
    const source = await ctx.host();
    const nothing = nothingToMove(i, name, source);
    if (nothing !== null) return nothing;
    const failed: { host: string; reason: string }[] = [];
    for (;;) {
      let claimed: ClaimAnswer | undefined;
      const tried = await ctx.attempt(async () => {
        const not = failed.map((f) => f.host);
        claimed = await claim(ctx, {
          ...room(i, ctx.instance, source.name, not),
          waitSeconds: seconds(i.wait),
        });
        return move(i, ctx, source, claimed.host);
      });
      if (tried.ok) return tried.value;
      if (claimed) failed.push({ host: claimed.host.name, reason: tried.error.message });
      const again = claimed && i.host === undefined && mayDoBetter(tried.error) && failed.length < i.attempts;
      if (!again) throw withHistory(tried.error, claimed ? failed.slice(0, -1) : failed);
    }
  },
});

export async function claim(
  ctx: Ctx,
  request: PlacementRequest & { waitSeconds: number },
): Promise<ClaimAnswer> {
  ctx.phase('placing', 'choose a host and claim room and migration slots');
  const id = ctx.id();
  return ctx.call(
    'claimHost',
    { claim: id, ...request },
    { undo: intent('releaseClaim', { claim: id }, 'the claim on the target') },
  );
}

async function move(i: Migrate, ctx: Ctx, source: HostRef, target: HostRef): Promise<Outcome> {
  ctx.phase('probing', `which disks do ${source.name} and ${target.name} share?`);
  const written = ctx.instance.disks.filter((disk) => !disk.readonly);
  const local = await probeStorage(ctx, written, source, target);
  if (i.storage === 'shared') refuseCopies(local, source, target);
  const held = hold(ctx, { kind: 'migrate', source, target, copied: local, after: i.confirm_after });
  const moved = await coldMove(ctx, {
    source,
    target,
    local,
    runs: ctx.instance.state === 'active',
    graceSeconds: seconds(i.grace),
    ...held,
  });
  await confirmLater(ctx, held);
  // The point of no return: it is there, and runs if it is to. From here on `revert-resize` is the way back.
  await ctx.commit(moved.patch, moved.cleanup);
  const { storage, offMs } = moved;
  const confirmsAt = held.patch.resized?.confirmsAt ?? null;
  return { patch: moved.patch, result: { from: source.name, to: target.name, storage, offMs, confirmsAt } };
}

const room = (
  i: Migrate,
  { vcpus, memoryMiB }: { vcpus: number; memoryMiB: number },
  from: string,
  exclude: string[],
): PlacementRequest => ({
  vcpus,
  memoryMiB,
  host: i.host ?? null,
  exclude,
  from,
  live: false,
  ...(i.storage === undefined ? {} : { storage: i.storage }),
});

/** What is wrong with the instance itself is wrong with every host. */
export const mayDoBetter = (error: Error): boolean =>
  error instanceof DroverError && !['Unsupported', 'WrongState', 'InvalidInput'].includes(error.code);

/** The last refusal, with what happened on each host before it. */
export function withHistory(error: Error, failed: { host: string; reason: string }[]): Error {
  if (failed.length === 0 || !(error instanceof DroverError)) return error;
  const tried = failed.map((f) => `${f.host}: ${f.reason}`).join('; ');
  const { code, details, hint } = error;
  return new DroverError(code, `${error.message} (tried ${tried})`, {
    details: { ...details, tried: failed },
    hint,
  });
}
