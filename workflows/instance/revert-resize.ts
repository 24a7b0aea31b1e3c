import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Resized } from '../../model/instance.js';
import type { InstancePatch } from '../../model/operation.js';
import type { Ctx } from '../ctx.js';
import { defineOperation, type Outcome } from '../define.js';
import { grace, instanceRef, seconds } from '../inputs.js';
import { requireResized } from './confirm-resize.js';
import { coldMove, removal } from './steps/cold-move.js';
import { resizeHere } from './steps/resize-here.js';
import { startThere, stopHere } from './steps/stop-and-start.js';

const input = instanceRef.extend({
  disk: z
    .enum(['keep', 'old'])
    .default('keep')
    .describe('Disks that were copied: keep what was written since, or take them as they were before'),
  grace: grace('60s'),
});

export const revertResize = defineOperation({
  name: 'revert-resize',
  summary: 'Take a resize or a cold migration back: to the host, the size and the power that it had before.',
  input,
  allowedStates: ['resized'],
  endsIn: ['active', 'stopped'],
  errors: ['HostWorkerMissing', 'DiskError', 'AlreadyExists', 'CleanupIncomplete'],
  undone:
    'The guest is resized as it was, on the host and with the size that it came to; of a disk that was copied the old copy may be gone by then.',
  doing: 'reverting',
  needs: 'coldMigration',
  async run(i, ctx) {
    const resized = requireResized(ctx);
    const here = await ctx.host();
    const old = await oldHost(ctx, resized);
    const seen = await ctx.observe();
    const power = seen.patch.powerState;
    if (power === undefined || power === 'unknown') {
      throw new DroverError(
        'HypervisorUnreachable',
        `${here.name} does not tell whether ${ctx.instance.name} runs`,
      );
    }
    const runs = power === 'running' || power === 'paused';
    const going: Going = { ctx, resized, here, old, runs, graceSeconds: seconds(i.grace) };
    return old.name === here.name ? inPlace(going) : back(going, i.disk);
  },
});

interface Going {
  ctx: Ctx;
  resized: Resized;
  here: HostRef;
  old: HostRef;
  /** It runs now; whether it is to run again is what it did before. */
  runs: boolean;
  graceSeconds: number;
}

/** A silent host may run anything by now; its guests are not for this operation to decide on. */
async function oldHost(ctx: Ctx, { host: name }: Resized): Promise<HostRef> {
  const [host] = await ctx.call('listHosts', { name });
  if (host?.state === 'up') return { name, uri: host.uri };
  const why = host === undefined ? 'it is gone' : (host.stateReason ?? 'it does not answer');
  throw new DroverError(
    'HostUnknown',
    `the state of ${name}, where ${ctx.instance.name} was before, is unknown: ${why}`,
    {
      hint: 'bring that host back, or keep the instance where it is: drover instance confirm-resize',
    },
  );
}

function before({ resized }: Going): InstancePatch {
  const { host, flavor, vcpus, memoryMiB, was } = resized;
  const power = was === 'active' ? 'running' : 'shutoff';
  return { state: was, powerState: power, host, flavor, vcpus, memoryMiB, resized: null, fault: null };
}

async function inPlace(going: Going): Promise<Outcome> {
  const { ctx, resized, here, runs, graceSeconds } = going;
  const patch = before(going);
  if (runs) await stopHere(ctx, here, graceSeconds);
  await resizeHere(ctx, here, { from: ctx.instance, to: resized });
  if (resized.was === 'active') await startThere(ctx, here, { patch, cleanup: [] });
  // The point of no return: it has its old size again.
  await ctx.commit(patch);
  return { patch, result: { host: here.name, disk: 'the same' } };
}

/** On shared storage its disks are the same; of those that were copied the old copies are still there. */
async function back(going: Going, disk: 'keep' | 'old'): Promise<Outcome> {
  const { ctx, resized, here, old, runs, graceSeconds } = going;
  const copied = ctx.instance.disks.filter(({ path }) => resized.copied.includes(path));
  const moved = await coldMove(ctx, {
    source: here,
    target: old,
    local: disk === 'keep' ? copied : [],
    replaces: true,
    runs,
    starts: resized.was === 'active',
    graceSeconds,
    patch: before(going),
    cleanup: copied.map((each) => removal(ctx.instance.id, each, here)),
    there: () => resizeHere(ctx, old, { from: ctx.instance, to: resized }),
  });
  // The point of no return: it is where it was, and the copies on the other host are to go.
  await ctx.commit(moved.patch, moved.cleanup);
  const which =
    copied.length === 0 ? 'the same' : disk === 'keep' ? 'with what was written since' : 'as before';
  return { patch: moved.patch, result: { from: here.name, to: old.name, disk: which, offMs: moved.offMs } };
}
