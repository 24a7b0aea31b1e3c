/** The operations that are swept, and what each needs and leaves. */
import type { InstanceState } from '../../../model/instance.js';

export interface KillCase {
  /** Of the matrix. */
  row: string;
  operation: string;
  /** What the guest's disk is on: all hosts see `shared`. */
  disk: 'shared' | 'local';
  input(to: { target: string; memoryMiB: number }): Record<string, unknown>;
  well: { state: InstanceState; host: 'source' | 'target' };
  /** The guest never stops: it counts on unbroken. */
  live: boolean;
  /** The step in whose middle all faults strike it as well: one that can be made slow. */
  middle: string | null;
  /** Only in the whole sweep: its steps are among those of another case. */
  whole?: true;
}

const live = {
  operation: 'instance.live-migrate',
  well: { state: 'active', host: 'target' },
  live: true,
  middle: 'migrateGuest',
} as const;

const cold = { live: false, middle: null } as const;
const arrived = { state: 'active', host: 'target' } as const;
const held = { state: 'resized', host: 'target' } as const;
const grace = '10s';

/** Flavors to go from one to the other; `--disk-gib 0` keeps the disk. */
export const flavors = [
  { name: 'small', memoryMiB: 96 },
  { name: 'large', memoryMiB: 112 },
] as const;
const otherFlavor = (memoryMiB: number): string => (memoryMiB === 96 ? 'large' : 'small');

const cases: KillCase[] = [
  { ...live, row: 'live-migrate, shared', disk: 'shared', input: ({ target }) => ({ host: target }) },
  { ...live, row: 'live-migrate, block', disk: 'local', input: ({ target }) => ({ host: target }) },
  {
    ...cold,
    row: 'migrate, shared',
    whole: true,
    operation: 'instance.migrate',
    disk: 'shared',
    input: ({ target }) => ({ host: target, grace, confirm_after: '0s' }),
    well: arrived,
  },
  {
    ...cold,
    row: 'migrate, copied',
    operation: 'instance.migrate',
    disk: 'local',
    input: ({ target }) => ({ host: target, grace, confirm_after: 'never' }),
    well: held,
  },
  {
    ...cold,
    row: 'resize, copied',
    whole: true,
    operation: 'instance.resize',
    disk: 'local',
    input: ({ target, memoryMiB }) => ({
      host: target,
      flavor: otherFlavor(memoryMiB),
      grace,
      confirm_after: 'never',
    }),
    well: held,
  },
  {
    ...cold,
    row: 'resize, shared',
    operation: 'instance.resize',
    disk: 'shared',
    input: ({ target, memoryMiB }) => ({
      host: target,
      flavor: otherFlavor(memoryMiB),
      grace,
      confirm_after: '0s',
    }),
    well: arrived,
  },
];

export const killCases = (whole: boolean): KillCase[] => cases.filter((one) => whole || !one.whole);
