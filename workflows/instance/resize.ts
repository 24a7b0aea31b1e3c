import { z } from 'zod';
import type { PlacementRequest } from '../../activities/types.js';
import { durationSchema } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Disk, Flavor, Instance } from '../../model/instance.js';
import type { Ctx } from '../ctx.js';
import { defineOperation, type Outcome } from '../define.js';
import { grace, instanceRef, seconds } from '../inputs.js';
import { claim } from './migrate.js';
import { probeStorage } from './probe-storage.js';
import { coldMove } from './steps/cold-move.js';
import { confirmAfter, confirmLater, hold, type Hold } from './steps/hold.js';
import { growDisk, resizeHere } from './steps/resize-here.js';
import { startThere, stopHere } from './steps/stop-and-start.js';

const input = instanceRef.extend({
  flavor: z.string().min(1).describe('Name or id of the new flavor'),
  host: z.string().optional().describe('Where it is to be; without it where it is, or else where it fits'),
  grace: grace('60s'),
  confirm_after: confirmAfter,
  wait: durationSchema.default('0s').describe('How long to wait for a free migration slot'),
});
type Resize = z.output<typeof input>;

export const resize = defineOperation({
  name: 'resize',
  summary:
    'Give an instance another flavor, here or on another host; what it had is held until that is confirmed.',
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
    'The guest has its old size on its old host and runs again, if it ran; a disk that was made larger in place stays so. Once the guest runs with the new size it keeps it.',
  doing: 'resizing',
  needs: 'coldMigration',
  places: (i, instance, flavor) =>
    instance === null || instance.host === null || flavor === null
      ? null
      : rooms(i, instance, instance.host, flavor),
  async run(i, ctx) {
    const source = await ctx.host();
    const flavor = await ctx.call('getFlavor', { flavor: i.flavor });
    const grows = await growth(ctx, source, flavor);
    refuseNothing(ctx, flavor, grows);
    const target = await placed(i, ctx, source, flavor);
    return target.name === source.name
      ? inPlace({ i, ctx, source, flavor, grows })
      : elsewhere({ i, ctx, source, flavor, grows }, target);
  },
});

interface Resizing {
  i: Resize;
  ctx: Ctx;
  source: HostRef;
  flavor: Flavor;
  grows: Growth | null;
}

interface Growth {
  disk: Disk;
  bytes: number;
}

/** How its system disk is to grow; null when it stays. A smaller one is refused before anything is done. */
async function growth(ctx: Ctx, source: HostRef, flavor: Flavor): Promise<Growth | null> {
  const disk = ctx.instance.disks.find((each) => !each.readonly);
  if (disk === undefined || flavor.diskGiB === 0) return null;
  const wanted = flavor.diskGiB * 1024 ** 3;
  const facts = await ctx.call('diskFacts', { path: disk.path, format: disk.format }, { on: source });
  if (wanted < facts.bytes) {
    throw new DroverError(
      'InvalidInput',
      `${ctx.instance.name} has a disk of ${facts.bytes} bytes; ${flavor.name} has only ${wanted} (${flavor.diskGiB} GiB)`,
      {
        hint: 'a disk is never made smaller: take a flavor with as large a disk, or with disk 0, which keeps it',
      },
    );
  }
  return wanted > facts.bytes ? { disk, bytes: wanted } : null;
}

function refuseNothing({ instance }: Ctx, flavor: Flavor, grows: Growth | null): void {
  const { name, vcpus, memoryMiB } = instance;
  if (grows !== null || vcpus !== flavor.vcpus || memoryMiB !== flavor.memoryMiB) return;
  throw new DroverError(
    'InvalidInput',
    `${name} has ${vcpus} vCPUs and ${memoryMiB} MiB already, as ${flavor.name}`,
    { hint: 'to move it without another size: drover instance migrate, or live-migrate' },
  );
}

/** Where it is, if the difference fits there; else where all of it fits. */
function rooms(
  i: Pick<Resize, 'host'>,
  { vcpus, memoryMiB }: Pick<Instance, 'vcpus' | 'memoryMiB'>,
  source: string,
  flavor: Flavor,
): [PlacementRequest, PlacementRequest?] {
  const here: PlacementRequest = {
    vcpus: Math.max(0, flavor.vcpus - vcpus),
    memoryMiB: Math.max(0, flavor.memoryMiB - memoryMiB),
    host: source,
    exclude: [],
    from: null,
    live: false,
  };
  const away: PlacementRequest = {
    vcpus: flavor.vcpus,
    memoryMiB: flavor.memoryMiB,
    host: i.host ?? null,
    exclude: [],
    from: source,
    live: false,
  };
  if (i.host === undefined) return [here, away];
  return i.host === source ? [here] : [away];
}

async function placed(i: Resize, ctx: Ctx, source: HostRef, flavor: Flavor): Promise<HostRef> {
  const claimed = (room: PlacementRequest) =>
    claim(ctx, { ...room, waitSeconds: room.from === null ? 0 : seconds(i.wait) });
  const [first, second] = rooms(i, ctx.instance, source.name, flavor);
  if (second === undefined) return (await claimed(first)).host;
  const stays = await ctx.attempt(() => claimed(first));
  return stays.ok ? stays.value.host : (await claimed(second)).host;
}

async function inPlace({ i, ctx, source, flavor, grows }: Resizing): Promise<Outcome> {
  const held = holdOf({ i, ctx, source, flavor }, source, []);
  const runs = ctx.instance.state === 'active';
  const begun = ctx.now();
  if (runs) await stopHere(ctx, source, seconds(i.grace));
  const grew = grows !== null && (await growDisk(ctx, source, grows.disk, grows.bytes));
  await resizeHere(ctx, source, { from: ctx.instance, to: flavor });
  if (runs) await startThere(ctx, source, held);
  const how = { host: source.name, storage: 'shared', offMs: ctx.now() - begun, grew };
  return ended(ctx, held, how, held.cleanup);
}

async function elsewhere(resizing: Resizing, target: HostRef): Promise<Outcome> {
  const { i, ctx, source, flavor, grows } = resizing;
  ctx.phase('probing', `which disks do ${source.name} and ${target.name} share?`);
  const written = ctx.instance.disks.filter((disk) => !disk.readonly);
  const local = await probeStorage(ctx, written, source, target);
  const held = holdOf(resizing, target, local);
  let grew = false;
  const moved = await coldMove(ctx, {
    source,
    target,
    local,
    runs: ctx.instance.state === 'active',
    graceSeconds: seconds(i.grace),
    ...held,
    async there() {
      if (grows !== null) grew = await growDisk(ctx, target, grows.disk, grows.bytes);
      await resizeHere(ctx, target, { from: ctx.instance, to: flavor });
    },
  });
  const { storage, offMs } = moved;
  return ended(ctx, held, { host: target.name, from: source.name, storage, offMs, grew }, moved.cleanup);
}

function holdOf({ i, ctx, source, flavor }: Omit<Resizing, 'grows'>, target: HostRef, copied: Disk[]): Hold {
  const size = { flavor: flavor.name, vcpus: flavor.vcpus, memoryMiB: flavor.memoryMiB };
  return hold(ctx, { kind: 'resize', source, target, copied, after: i.confirm_after, size });
}

async function ended(
  ctx: Ctx,
  held: Hold,
  how: Record<string, unknown>,
  cleanup: Hold['cleanup'],
): Promise<Outcome> {
  await confirmLater(ctx, held);
  // The point of no return: it has its new size, and runs if it is to. From here on `revert-resize` is the way back.
  await ctx.commit(held.patch, cleanup);
  const { flavor, vcpus, memoryMiB, resized } = held.patch;
  const confirmsAt = resized?.confirmsAt ?? null;
  return { patch: held.patch, result: { flavor, vcpus, memoryMiB, ...how, confirmsAt } };
}
