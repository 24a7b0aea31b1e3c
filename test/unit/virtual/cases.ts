/** One or more cases of each operation of the catalogue: the sweeps run every one of them through every trouble. */
import { localDirectory, sharedDirectory } from '../../../activities/simulator/hosts.js';
import type { InstanceState } from '../../../model/instance.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';

export interface Case {
  title: string;
  /** Makes the world as the operation needs it and answers its input. */
  setUp(cloud: VirtualCloud): Promise<Record<string, unknown>>;
  /** What the instance is when all went well. */
  state: InstanceState;
  host: string | null;
  /** What it may be, beside that and `error`, when something went wrong. */
  before: InstanceState;
  keptDisks?: boolean;
  /** It finds a predecessor: what it does before it begins can't be closed by itself. */
  reconciles?: boolean;
}

const one =
  (options: Parameters<VirtualCloud['adopt']>[1] = {}, input: Record<string, unknown> = {}) =>
  async (cloud: VirtualCloud) => ({ instance: await cloud.adopt('web-1', options), ...input });

const launched = (directory: string) => async (cloud: VirtualCloud) => ({
  instance: cloud.random.uuid(),
  name: 'web-1',
  vcpus: 1,
  memory_mib: 1024,
  image: '/images/debian-12.qcow2',
  directory,
});

/** An instance whose earlier migration was terminated half-way. */
async function half(cloud: VirtualCloud): Promise<Record<string, unknown>> {
  const instance = await cloud.adopt('web-1', { local: true });
  const troubles = [{ at: 'migrateGuest', terminate: true }];
  await cloud.operation('instance.live-migrate', { instance }, { troubles }).ending;
  return { instance };
}

const active = { state: 'active', before: 'active', host: 'h1' } as const;
const stopped = { state: 'stopped', before: 'active', host: 'h1' } as const;
const deleted = { state: 'deleted', before: 'active', host: null } as const;

export const cases: Record<string, Case[]> = {
  'instance.launch': [
    {
      title: 'on shared storage',
      setUp: launched(sharedDirectory),
      state: 'active',
      before: 'deleted',
      host: 'h1',
    },
    {
      title: 'on local storage',
      setUp: launched(localDirectory),
      state: 'active',
      before: 'deleted',
      host: 'h1',
    },
  ],
  'instance.live-migrate': [
    { title: 'on shared storage', setUp: one(), ...active, host: 'h2' },
    { title: 'copying its disk', setUp: one({ local: true }), ...active, host: 'h2' },
    {
      title: 'of a paused guest',
      setUp: one({ state: 'paused' }, { host: 'h3' }),
      state: 'paused',
      before: 'paused',
      host: 'h3',
    },
  ],
  'instance.start': [
    { title: 'a stopped one', setUp: one({ state: 'stopped' }), ...active, before: 'stopped' },
  ],
  'instance.stop': [{ title: 'a running one', setUp: one(), ...stopped }],
  'instance.reboot': [
    { title: 'softly', setUp: one(), ...active },
    {
      title: 'hard, a paused one',
      setUp: one({ state: 'paused' }, { hard: true }),
      ...active,
      before: 'paused',
    },
  ],
  'instance.pause': [{ title: 'a running one', setUp: one(), state: 'paused', before: 'active', host: 'h1' }],
  'instance.unpause': [
    { title: 'a paused one', setUp: one({ state: 'paused' }), ...active, before: 'paused' },
  ],
  'instance.terminate': [
    { title: 'with its disk', setUp: one({ local: true }), ...deleted },
    { title: 'keeping its disk', setUp: one({}, { keep_disks: true }), ...deleted, keptDisks: true },
    { title: 'that is broken already', setUp: half, ...deleted, reconciles: true },
  ],
  'instance.repair': [
    { title: 'of nothing', setUp: one(), ...active },
    { title: 'of a migration that nobody runs', setUp: half, ...active, reconciles: true },
  ],
};
