/** What people may ask of a live migration while it runs: to abort it, or to bring it to its end. */
import type { MigrateInput, SteerWay } from '../../../activities/types.js';
import { DroverError } from '../../../model/errors.js';
import type { MovePolicy } from '../../../model/instance.js';
import type { OperationAsk } from '../../../model/operation.js';
import type { Ctx } from '../../ctx.js';

/** The migration that runs now; null before its first byte and after its end. */
export interface Underway {
  move: MigrateInput;
  abort: (by: string) => void;
  /** Who switched it over for good: nothing can be asked of it any more. */
  forced: string | null;
}

export interface MoveAsks {
  underway: Underway | null;
}

/** From here on they may be asked. The asks are refused by what is known here; the follower sees the rest in the job. */
export function serveMoveAsks(ctx: Ctx, policy: MovePolicy): MoveAsks {
  const asks: MoveAsks = { underway: null };
  const { name } = ctx.instance;

  ctx.serve('abort', {
    validate: (ask) => void mayAsk(asks, ask),
    async handle(ask) {
      const { move, abort } = mayAsk(asks, ask);
      await record(ctx, 'abort', ask, { target: move.target.name });
      abort(ask.by);
      return {
        said: `the migration of ${name} is aborted: it runs on on ${move.source.name}, unless it has arrived on ${move.target.name} already`,
      };
    },
  });

  ctx.serve('force-complete', {
    validate: (ask) => void wayOf(mayAsk(asks, ask).move, policy, ask),
    async handle(ask) {
      const underway = mayAsk(asks, ask);
      const { move } = underway;
      const way = wayOf(move, policy, ask);
      await record(ctx, 'force-complete', ask, { way });
      const { migration, instance, source, bandwidthMiBs } = move;
      const answer = await ctx.call('steerMigration', {
        migration,
        instance,
        name,
        source,
        way,
        downtimeMs: ask.role === 'admin' ? null : policy.downtimeMs,
        liftCap: bandwidthMiBs !== null,
        by: ask.by,
      });
      if (way === 'post-copy') underway.forced = ask.by;
      return answer;
    },
  });
  return asks;
}

function mayAsk({ underway }: MoveAsks, { by, role }: OperationAsk): Underway {
  if (role === 'viewer') {
    const message = `${by} has the role viewer, which may only look`;
    throw new DroverError('PermissionDenied', message, { details: { by, role } });
  }
  if (underway === null) {
    throw new DroverError('WrongState', 'no migration is under way yet, or any more', {
      hint: 'see where the operation stands with `drover instance show`; before the migration it can be cancelled',
    });
  }
  if (underway.forced !== null) {
    const { name, target } = underway.move;
    throw new DroverError(
      'WrongState',
      `${name} was switched over to ${target.name} by post-copy, as ${underway.forced} asked: there is no way back`,
      { hint: 'wait until the rest of its memory has come' },
    );
  }
  return underway;
}

/** The way that was asked for, where it may be gone; else the best that may. */
function wayOf(move: MigrateInput, policy: MovePolicy, { way, by, role }: OperationAsk): SteerWay {
  const admin = role === 'admin';
  const refused = (why: string): DroverError =>
    new DroverError('PermissionDenied', why, {
      details: { by, role, policy },
      hint: 'take another --way, or ask an administrator',
    });
  if (move.policy?.postCopy !== true && way === 'post-copy') {
    throw new DroverError(
      'WrongState',
      `the migration of ${move.name} was not begun so that it could become a post-copy`,
      {
        hint: 'its policy must allow that before it begins; --way pause and --way downtime can be asked for at any time',
      },
    );
  }
  if (way === 'pause' && policy.pauseMs === 0 && !admin)
    throw refused(`the policy of ${move.name} lets nobody but an administrator pause it`);
  if (way !== null) return way;
  if (move.policy?.postCopy === true) return 'post-copy';
  return policy.pauseMs > 0 || admin ? 'pause' : 'downtime';
}

function record(
  ctx: Ctx,
  action: string,
  { by, role }: OperationAsk,
  details: Record<string, unknown>,
): Promise<void> {
  const { id: operation } = ctx.request;
  return ctx.call('recordOperationAction', {
    id: ctx.id(),
    operation,
    by,
    action,
    details: { role, ...details },
  });
}
