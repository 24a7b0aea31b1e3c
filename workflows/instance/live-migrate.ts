import { z } from 'zod';
import type { MigrateInput, PlacementRequest } from '../../activities/types.js';
import { durationSchema } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import type { IntentCall } from '../../model/operation.js';
import { intent } from '../ctx.js';
import { defineOperation } from '../define.js';
import { instanceRef, seconds } from '../inputs.js';
import { probeStorage } from './probe-storage.js';

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
    'GuestLost',
    'CleanupIncomplete',
  ],
  undone:
    'The migration is aborted and the guest runs on the source; the target is cleaned and its claim released. Once the guest runs on the target it stays there.',
  doing: 'migrating',
  needs: 'liveMigration',
  places: (input, instance) =>
    instance === null || instance.host === null || (input.from ?? instance.host) !== instance.host
      ? null
      : room({ ...instance, from: instance.host, host: input.host }),
  async run(input, ctx) {
    const { id, name, vcpus, memoryMiB, disks } = ctx.instance;
    const source = await ctx.host();
    if (input.from !== undefined && input.from !== source.name) {
      // Whoever listed it on that host was overtaken: it has left, which is what was wanted.
      return {
        patch: {},
        result: { from: input.from, to: source.name, note: `it had left ${input.from} already` },
      };
    }
    if (input.host === source.name) {
      throw new DroverError('NoValidHost', `${name} is on ${source.name} already`, {
        hint: 'name another host, or none',
      });
    }

    ctx.phase('placing', 'choose a host and claim room and migration slots');
    const claim = ctx.id();
    const { host: target } = await ctx.call(
      'claimHost',
      {
        claim,
        ...room({ vcpus, memoryMiB, from: source.name, host: input.host }),
        waitSeconds: seconds(input.wait),
      },
      { undo: intent('releaseClaim', { claim }, `the claim on the target`) },
    );

    ctx.phase('probing', `which disks do ${source.name} and ${target.name} share?`);
    // What is only read is never copied, and above all never removed: others may read it too.
    const written = disks.filter((disk) => !disk.readonly);
    const local = await probeStorage(ctx, written, source, target);
    const cleanup: IntentCall[] = [];
    for (const disk of local) {
      const what = { instance: id, path: disk.path };
      const facts = await ctx.call('diskFacts', { path: disk.path, format: disk.format }, { on: source });
      await ctx.call(
        'prepareDisk',
        { ...what, format: facts.format, bytes: facts.bytes },
        {
          on: target,
          undo: intent(
            'removeDisk',
            { ...what, onlyIfMade: true },
            `the half copied disk ${disk.path} on ${target.name}`,
            target,
          ),
        },
      );
      cleanup.push(
        intent('removeDisk', what, `the old copy of the disk ${disk.path} on ${source.name}`, source),
      );
    }

    const move: MigrateInput = {
      migration: ctx.id(),
      instance: id,
      name,
      source,
      target,
      copy: local.map((disk) => disk.target),
      disks,
      bandwidthMiBs: input.bandwidth ?? null,
      timeoutSeconds: seconds(input.timeout),
      cleanup,
    };
    ctx.phase(
      'moving',
      `${source.name} → ${target.name}, ${local.length ? 'copying its disks' : 'on shared storage'}`,
    );
    const moved = await ctx.call('migrateGuest', move, {
      undo: intent('undoMigrate', move, `the migration of ${name} to ${target.name}`),
    });

    // The point of no return: the guest runs on the target, so the record follows it.
    await ctx.commit({ host: target.name }, cleanup);
    return {
      patch: { host: target.name },
      result: { from: source.name, to: target.name, storage: local.length ? 'block' : 'shared', ...moved },
    };
  },
});

/** What a live migration asks of its target: room, and a migration slot of both sides. */
const room = (of: {
  vcpus: number;
  memoryMiB: number;
  from: string;
  host: string | undefined;
}): PlacementRequest => ({
  vcpus: of.vcpus,
  memoryMiB: of.memoryMiB,
  host: of.host ?? null,
  exclude: [],
  from: of.from,
  live: true,
});
