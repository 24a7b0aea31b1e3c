import { z } from 'zod';
import type { ClaimAnswer, PlacementRequest } from '../../activities/types.js';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Instance } from '../../model/instance.js';
import { intent, type Ctx } from '../ctx.js';
import { defineOperation, type Outcome } from '../define.js';
import { instanceRef } from '../inputs.js';
import { claim, mayDoBetter, withHistory } from './migrate.js';
import { goesOn } from './steps/goes-on.js';
import { evacuated, type Evacuated } from './steps/evacuated.js';
import { proveDisks } from './steps/prove-disks.js';

const input = instanceRef.extend({
  host: z.string().optional().describe('Where it is to be; without it drover chooses'),
  from: z.string().optional().describe('Only if it is on this host; elsewhere there is nothing to do'),
  reserved: z.boolean().default(false).describe('Hosts that are reserved for evacuations may be taken, too'),
  attempts: z.int().min(1).max(10).default(3).describe('How many hosts to try'),
});
type Evacuate = z.output<typeof input>;

export const evacuate = defineOperation({
  name: 'evacuate',
  summary:
    'Bring an instance back on another host when its own is lost and proven to be off; a host that lives is drained instead.',
  input,
  allowedStates: ['building', 'active', 'paused', 'suspended', 'stopped', 'rescued', 'resized', 'error'],
  endsIn: ['active', 'stopped'],
  errors: [
    'FencingRequired',
    'NoValidHost',
    'DiskNotShared',
    'HostWorkerMissing',
    'DiskError',
    'DiskLocked',
    'GuestLost',
    'CleanupIncomplete',
  ],
  undone:
    'What it made on the new host is removed: the guest and the claim; the instance is as it was, on the host that is lost. Once it runs there it stays.',
  doing: 'evacuating',
  needs: 'coldMigration',
  respectsLock: false,
  respectsNeedsRepair: false,
  supersedesWithin: 30,
  places: (i, instance) =>
    instance === null || instance.host === null || (i.from ?? instance.host) !== instance.host
      ? null
      : room(i, instance, instance.host, []),
  async run(i, ctx) {
    const { lost, beside } = await ctx.call('evacuationOf', { instance: ctx.instance.id });
    // What ran on it may have brought it to the side that lives.
    if (lost === null) return goesOn(ctx, beside);
    if (i.from !== undefined && i.from !== lost.name)
      return { patch: {}, result: { from: i.from, to: lost.name, note: `it had left ${i.from} already` } };
    const end = evacuated(ctx.instance, lost.name);
    if (ctx.instance.state === 'error' && beside !== null) await clearBeside(ctx, beside);
    const failed: { host: string; reason: string }[] = [];
    let last: DroverError | null = null;
    for (;;) {
      let claimed: ClaimAnswer | undefined;
      const tried = await ctx.attempt(async () => {
        const not = failed.map((f) => f.host);
        claimed = await claim(ctx, { ...room(i, ctx.instance, lost.name, not), waitSeconds: 0 });
        return bringBack(ctx, lost, claimed, end);
      });
      if (tried.ok) return tried.value;
      if (claimed) failed.push({ host: claimed.host.name, reason: tried.error.message });
      const again = claimed && i.host === undefined && isOfTheHost(tried.error) && failed.length < i.attempts;
      // That there is no other host tells less than what was wrong with the last one.
      if (!again && claimed) throw withHistory(tried.error, failed.slice(0, -1));
      if (!again) throw last === null ? tried.error : withHistory(last, failed.slice(0, -1));
      last = tried.error;
    }
  },
});

/** That its host is not proven to be off any more holds wherever it is tried. */
const isOfTheHost = (error: DroverError): boolean => mayDoBetter(error) && error.code !== 'FencingRequired';

const room = (
  i: Evacuate,
  { vcpus, memoryMiB }: Pick<Instance, 'vcpus' | 'memoryMiB'>,
  lost: string,
  failed: string[],
): PlacementRequest => ({
  vcpus,
  memoryMiB,
  host: i.host ?? null,
  exclude: [lost, ...failed],
  from: null,
  lost,
  reserved: i.reserved,
});

/** Whatever a migration left of it on its other side can't go on, and must not be there when it runs elsewhere. */
async function clearBeside(ctx: Ctx, host: HostRef): Promise<void> {
  const { id: instance, name } = ctx.instance;
  ctx.phase('clearing', `what a migration may have left of it on ${host.name}`);
  await ctx.call('clearBeside', { instance, name, host });
}

async function bringBack(
  ctx: Ctx,
  lost: HostRef,
  { host, proof = { declared: [], witness: null } }: ClaimAnswer,
  end: Evacuated,
): Promise<Outcome> {
  const guest = { instance: ctx.instance.id, name: ctx.instance.name, host, lost: lost.name };
  await proveDisks(ctx, lost, host, proof);
  const migration = ctx.id();
  await ctx.call(
    'recordMigration',
    { migration, source: lost.name, target: host.name, storage: 'shared' },
    {
      undo: intent(
        'closeMigration',
        { migration, state: 'failed', reason: 'the evacuation was undone' },
        'the record of the evacuation',
      ),
    },
  );
  ctx.phase('defining', `as it was on ${lost.name}, on ${host.name}`);
  await ctx.call('defineEvacuated', guest, {
    undo: intent('removeGuest', guest, `the guest ${guest.name} on ${host.name}`),
  });
  const patch = { ...end.patch, host: host.name };
  const cleanup = [
    intent(
      'closeMigration',
      { migration, state: 'completed', reason: `evacuated: ${lost.name} was lost` },
      'the record of the evacuation',
    ),
  ];
  if (end.starts) {
    ctx.phase('starting', `start on ${host.name}: ${lost.name} is held off`);
    const { power } = await ctx.call('startEvacuated', guest, {
      undo: intent('undoArrival', { ...guest, patch, cleanup }, `${guest.name} may run on ${host.name}`),
    });
    if (power !== 'running')
      throw new DroverError('HypervisorError', `${guest.name} was started on ${host.name}, and is ${power}`);
  }
  // The point of no return: it is there, and its room on the lost host is given back. What is stored there goes when
  // that host is readmitted.
  await ctx.commit(patch, cleanup);
  return { patch, result: { from: lost.name, to: host.name, state: patch.state, told: end.told } };
}
