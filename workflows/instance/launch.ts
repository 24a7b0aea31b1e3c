import { z } from 'zod';
import type { ClaimAnswer, PlacementRequest } from '../../activities/types.js';
import { DroverError } from '../../model/errors.js';
import type { InstancePatch } from '../../model/operation.js';
import { intent, type Ctx } from '../ctx.js';
import { defineOperation, type Outcome } from '../define.js';
import { checkPolicies, policyInputs, policyPatch } from './policies.js';

const input = z
  .object({
    instance: z.uuid().describe('The id to give it, chosen by the caller'),
    name: z
      .string()
      .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/, 'letters, digits, dot, dash and underscore, at most 63')
      .describe('Its name'),
    flavor: z.string().nullable().default(null).describe('Name of the flavor it was sized by'),
    vcpus: z.int().positive(),
    memory_mib: z.int().positive(),
    disk_gib: z
      .int()
      .nonnegative()
      .default(0)
      .describe('Size of the disk in GiB; 0 keeps the size of the image'),
    image: z.string().startsWith('/').describe('Path of a disk image that the host can read'),
    directory: z
      .string()
      .startsWith('/')
      .default('/var/lib/libvirt/images')
      .describe('Where the host keeps the disk'),
    bridges: z.array(z.string()).default([]).describe('Bridges of the host to connect to'),
    host: z.string().optional().describe('The only host to try'),
    where: z
      .record(z.string(), z.string())
      .default({})
      .describe('Labels that its host must have, such as disk=ssd'),
    zone: z.string().optional().describe('The zone that its host must be in'),
    server_group: z.string().optional().describe('The server group that it joins'),
    attempts: z.int().min(1).max(10).default(3).describe('How many hosts to try'),
    metadata: z.record(z.string(), z.string()).default({}),
    ...policyInputs,
  })
  .superRefine(checkPolicies);
type Launch = z.output<typeof input>;

export const launch = defineOperation({
  name: 'launch',
  summary: 'Make a new instance from a disk image and start it.',
  input,
  allowedStates: ['building'],
  endsIn: ['active'],
  errors: ['AlreadyExists', 'NoValidHost', 'HostWorkerMissing', 'DiskError'],
  undone:
    'What the attempt made is removed: the guest, its disk, the claim; after the last attempt the instance stays in error with the reason, and a cancelled launch leaves nothing.',
  doing: 'building',
  needs: 'launch',
  creates: (i) => ({
    name: i.name,
    flavor: i.flavor,
    vcpus: i.vcpus,
    memoryMiB: i.memory_mib,
    image: i.image,
    metadata: i.metadata,
    serverGroup: i.server_group ?? null,
    networks: i.bridges,
  }),
  places: room,
  async run(i, ctx) {
    const failed: { host: string; reason: string }[] = [];
    for (let attempt = 0; attempt < i.attempts; attempt += 1) {
      let claimed: ClaimAnswer | undefined;
      const tried = await ctx.attempt(async () => {
        claimed = await claim(
          i,
          ctx,
          failed.map((f) => f.host),
        );
        return build(i, ctx, claimed);
      });
      if (tried.ok) return tried.value;
      if (!claimed) throw withHistory(tried.error, failed);
      failed.push({ host: claimed.host.name, reason: tried.error.message });
    }
    throw withHistory(new DroverError('HypervisorError', `no host could build ${i.name}`), failed);
  },
});

function room(i: Launch): PlacementRequest {
  const { vcpus, memory_mib: memoryMiB, host = null, where, zone = null } = i;
  return { vcpus, memoryMiB, host, exclude: [], from: null, where, zone };
}

async function claim(i: Launch, ctx: Ctx, exclude: string[]): Promise<ClaimAnswer> {
  const id = ctx.id();
  ctx.phase('placing', 'choose a host and claim room');
  return ctx.call(
    'claimHost',
    {
      claim: id,
      ...room(i),
      exclude,
      waitSeconds: 0,
    },
    { undo: intent('releaseClaim', { claim: id }, 'the claim on the host') },
  );
}

async function build(i: Launch, ctx: Ctx, { host }: ClaimAnswer): Promise<Outcome> {
  const path = `${i.directory.replace(/\/$/, '')}/${i.instance}.qcow2`;
  ctx.phase('building', `disk on ${host.name}`);
  const { disk } = await ctx.call(
    'createDisk',
    { instance: i.instance, image: i.image, path, diskGiB: i.disk_gib },
    {
      on: host,
      undo: intent(
        'removeDisk',
        { instance: i.instance, path, onlyIfMade: true },
        `the disk ${path} on ${host.name}`,
        host,
      ),
    },
  );
  const guest = { instance: i.instance, name: i.name, host };
  const spec = {
    id: i.instance,
    name: i.name,
    vcpus: i.vcpus,
    memoryMiB: i.memory_mib,
    disks: [disk],
    bridges: i.bridges,
  };
  await ctx.call(
    'defineGuest',
    { host, spec },
    { undo: intent('removeGuest', guest, `the guest ${i.name} on ${host.name}`) },
  );
  ctx.phase('starting', `start on ${host.name}`);
  const { power } = await ctx.call('startGuest', guest);
  const patch: InstancePatch = {
    state: 'active',
    powerState: power,
    host: host.name,
    disks: [disk],
    fault: null,
    ...policyPatch(null, i),
  };
  // The point of no return: it runs. A cancel that comes later does not take a running guest away.
  await ctx.commit(patch);
  return { patch, result: { host: host.name, disk: path } };
}

/** The last refusal, with what happened on each host before it. */
function withHistory(error: Error, failed: { host: string; reason: string }[]): DroverError {
  const code = error instanceof DroverError ? error.code : 'Internal';
  const tried = failed.map((f) => `${f.host}: ${f.reason}`).join('; ');
  return new DroverError(code, tried ? `${error.message} (tried ${tried})` : error.message, {
    details: { ...(error instanceof DroverError ? error.details : {}), tried: failed },
  });
}
