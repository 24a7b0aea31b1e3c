import { z } from 'zod';
import type { PlacementRequest } from '../../activities/types.js';
import { durationSchema } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import { defaultMovePolicy } from '../../model/instance.js';
import type { Ctx } from '../ctx.js';
import { defineOperation } from '../define.js';
import { instanceRef, seconds, storageInput } from '../inputs.js';
import { policyInputs, policyPatch } from './policies.js';
import { coldInstead } from './steps/cold-instead.js';
import { liveMove } from './steps/live-move.js';
import { serveMoveAsks } from './steps/move-asks.js';
import { nothingToMove } from './steps/nothing-to-move.js';

export const liveMigrate = defineOperation({
  name: 'live-migrate',
  summary: 'Move a running instance to another host; whether its disks must be copied is found by probing.',
  input: instanceRef.extend({
    host: z.string().optional().describe('The target; without it drover chooses'),
    from: z.string().optional().describe('Only if it is on this host; elsewhere there is nothing to do'),
    bandwidth: z.int().positive().optional().describe('Cap in MiB per second'),
    timeout: durationSchema
      .default('30m')
      .describe('Then the migration is aborted; the guest stays on the source'),
    no_progress: durationSchema
      .default('60s')
      .describe('Aborted after so long without a smaller round of memory, if its policy allows nothing more'),
    max_downtime: policyInputs.max_downtime.describe(
      'How long it may stand still for the switch-over, such as 2s, instead of what its policy says',
    ),
    fallback: z
      .enum(['none', 'cold'])
      .optional()
      .describe('If it can’t be moved live: stop and move it (cold), or not; default as its policy says'),
    storage: storageInput,
    wait: durationSchema.default('0s').describe('How long to wait for a free migration slot'),
  }),
  allowedStates: ['active', 'paused'],
  endsIn: 'as it was',
  errors: [
    'NoValidHost',
    'NoMigrationSlot',
    'HostWorkerMissing',
    'DiskError',
    'AlreadyExists',
    'MigrationFailed',
    'MigrationStalled',
    'PostCopyFailed',
    'GuestLost',
    'CleanupIncomplete',
  ],
  undone:
    'The migration is aborted and the guest runs on the source; the target is cleaned and its claim released. Once the guest runs on the target it stays there, also where the rest of its memory is still to come (post-copy).',
  doing: 'migrating',
  needs: 'liveMigration',
  places: (input, instance) =>
    instance === null || instance.host === null || (input.from ?? instance.host) !== instance.host
      ? null
      : roomFor({ ...instance, from: instance.host, host: input.host, storage: input.storage }),
  async run(input, ctx) {
    const { name, vcpus, memoryMiB } = ctx.instance;
    const source = await ctx.host();
    const nothing = nothingToMove(input, name, source);
    if (nothing !== null) return nothing;

    const own = ctx.instance.movePolicy ?? defaultMovePolicy;
    const { max_downtime } = input;
    const asked = max_downtime === undefined ? {} : policyPatch(own, { max_downtime, allow: [], forbid: [] });
    const policy = asked.movePolicy ?? own;
    const cold = input.fallback === 'cold' || (input.fallback === undefined && policy.cold === 'allow');
    const asks = serveMoveAsks(ctx, policy);
    const tried: Tried[] = [];
    for (;;) {
      let chosen: { target: HostRef; migration: string } | null = null;
      const room = roomFor({
        vcpus,
        memoryMiB,
        from: source.name,
        host: input.host,
        storage: input.storage,
      });
      const attempt = await ctx.attempt(
        () =>
          liveMove(ctx, {
            source,
            room: { ...room, exclude: [...room.exclude, ...tried.map(({ host }) => host)] },
            bandwidthMiBs: input.bandwidth ?? null,
            timeoutSeconds: seconds(input.timeout),
            waitSeconds: seconds(input.wait),
            noProgressSeconds: seconds(input.no_progress),
            policy,
            asks,
            chosen: (target, migration) => {
              chosen = { target, migration };
            },
          }),
        (error) => (error.code === 'MigrationStalled' ? cold : anotherHost(ctx, input.host, tried, error)),
      );
      if (attempt.ok) {
        const { target, cleanup, storage, figures } = attempt.value;
        // The point of no return: the guest runs on the target, so the record follows it.
        await ctx.commit({ host: target.name }, cleanup);
        const before = tried.length > 0 ? { tried } : {};
        return {
          patch: { host: target.name },
          result: { from: source.name, to: target.name, storage, ...before, ...figures },
        };
      }
      const { error } = attempt;
      const last = chosen as { target: HostRef; migration: string } | null;
      if (error.code === 'MigrationStalled' && cold && last !== null)
        return coldInstead(ctx, {
          source,
          ...last,
          room,
          by: input.fallback === 'cold' ? ctx.request.by : null,
        });
      if (last === null || !anotherHost(ctx, input.host, tried, error)) throw withTried(error, tried);
      tried.push({ host: last.target.name, reason: error.message, error });
    }
  },
});

interface Tried {
  host: string;
  reason: string;
  error: DroverError;
}

const mostHosts = 3;
/** What a target says that another one may not say; the guest is whole on its source then. */
const refusals: readonly string[] = ['MigrationFailed', 'HypervisorError'];

/**
 * Whether the next host is tried. Where somebody named the host it is that one or none; and an operation that began with
 * an older drover, whose instances had no policy, tries one host, as it did then.
 */
const anotherHost = (ctx: Ctx, named: string | undefined, tried: Tried[], error: DroverError): boolean =>
  named === undefined &&
  'movePolicy' in ctx.instance &&
  refusals.includes(error.code) &&
  tried.length + 1 < mostHosts;

/** That no host is left is not what went wrong. */
function withTried(error: DroverError, tried: Tried[]): DroverError {
  const last = tried.at(-1);
  if (last === undefined) return error;
  const cause = error.code === 'NoValidHost' ? last.error : error;
  const told = tried.map(({ host, reason }) => `${host} (${reason})`).join('; ');
  return new DroverError(cause.code, `${cause.message}; tried before: ${told}`, {
    details: { ...cause.details, tried: tried.map(({ host, reason }) => ({ host, reason })) },
    hint: cause.hint,
    cause,
  });
}

/** What a live migration asks of its target: room, and a migration slot of both sides. */
const roomFor = (of: {
  vcpus: number;
  memoryMiB: number;
  from: string;
  host: string | undefined;
  storage: PlacementRequest['storage'];
}): PlacementRequest => ({
  vcpus: of.vcpus,
  memoryMiB: of.memoryMiB,
  host: of.host ?? null,
  exclude: [],
  from: of.from,
  live: true,
  ...(of.storage === undefined ? {} : { storage: of.storage }),
});
