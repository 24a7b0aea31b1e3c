/** Faults put into drover on purpose: each must turn a sweep red, or that sweep proves nothing. */
import type { Skills } from '../../virtual/process.js';
import type { Ctx } from '../../workflows/ctx.js';
import type { Operation } from '../../workflows/define.js';
import { DroverError } from '../../model/errors.js';
import type { Stage } from './stage.js';

export interface Mutant {
  name: string;
  sweep: string;
  /** The row on which it shows, and a part of the title of the case. */
  operation: string;
  title: string;
  /** Another definition of the operation. */
  define?: (operation: Operation) => Operation;
  /** Other activities. */
  prepare?: (stage: Stage) => void;
}

/** The operation with another context: what its story asks for is heard differently. */
const withCtx =
  (change: (ctx: Ctx) => Partial<Ctx>) =>
  (operation: Operation): Operation => {
    if (operation.target === 'host') return operation;
    const run: typeof operation.run = (input, ctx) => operation.run(input, { ...ctx, ...change(ctx) });
    return { ...operation, run };
  };

/** Every step goes by `work`, which may carry it out. */
const around = (
  ctx: Ctx,
  work: (name: string, call: () => Promise<unknown>) => Promise<unknown>,
): Ctx['call'] => ((name, input, options) => work(name, () => ctx.call(name, input, options))) as Ctx['call'];

const control = (change: (skills: Skills) => Skills) => (stage: Stage) => stage.alter('control', change);
const onHosts = (change: (skills: Skills) => Skills) => (stage: Stage) => stage.alter('hosts', change);

/** It reboots whatever boot the host runs. */
const forgetsTheBoot = onHosts((skills) => {
  const { rebootHost, bootId } = skills;
  if (!rebootHost || !bootId) return skills;
  return {
    ...skills,
    rebootHost: async (_input, call) => rebootHost(await bootId({}, call), call),
  };
});

export const mutants: Mutant[] = [
  {
    name: 'launch registers no undo of its disk',
    sweep: 'unwind',
    operation: 'instance.launch',
    title: 'on local storage',
    define: withCtx((ctx) => ({
      call: (name, input, options = {}) =>
        ctx.call(name, input, name === 'createDisk' ? { ...options, undo: undefined } : options),
    })),
  },
  {
    name: 'live-migrate commits before it moves',
    sweep: 'unwind',
    operation: 'instance.live-migrate',
    title: 'on shared storage',
    define: withCtx((ctx) => ({
      call: around(ctx, async (name, call) => {
        if (name === 'migrateGuest') await ctx.commit({ host: 'h2' });
        return call();
      }),
      commit: () => Promise.resolve(),
    })),
  },
  {
    name: 'a disk that was made already is refused',
    sweep: 'repeat',
    operation: 'instance.live-migrate',
    title: 'copying its disk',
    prepare(stage) {
      const made = new Set<string>();
      onHosts((skills) => {
        const { prepareDisk } = skills;
        if (!prepareDisk) return skills;
        return {
          ...skills,
          prepareDisk(input, call) {
            if (made.has(input.path)) throw new DroverError('DiskError', `${input.path} is there already`);
            made.add(input.path);
            return prepareDisk(input, call);
          },
        };
      })(stage);
    },
  },
  {
    name: 'a reboot whose answer was lost reboots again',
    sweep: 'lost answer',
    operation: 'host.reboot',
    title: 'an empty one',
    prepare: forgetsTheBoot,
  },
  {
    name: 'a cancel is swallowed',
    sweep: 'cancel',
    operation: 'instance.live-migrate',
    title: 'on shared storage',
    define: withCtx((ctx) => ({
      call: around(ctx, async (name, call) => {
        try {
          return await call();
        } catch (error) {
          const cancelled = error instanceof DroverError && error.code === 'Cancelled';
          if (name !== 'migrateGuest' || !cancelled) throw error;
          return { downtimeMs: null, totalMs: null, transferredBytes: null };
        }
      }),
    })),
  },
  {
    name: 'nobody asks whether a step may begin',
    sweep: 'second owner',
    operation: 'instance.stop',
    title: 'a running one',
    prepare: control((skills) => ({ ...skills, admit: () => Promise.resolve() })),
  },
  {
    name: 'the stamp of a guest is ignored',
    sweep: 'second owner',
    operation: 'instance.stop',
    title: 'a running one',
    prepare: control((skills) => {
      const { stopGuest } = skills;
      if (!stopGuest) return skills;
      return {
        ...skills,
        stopGuest: (input, call) =>
          stopGuest(input, {
            ...call,
            owner: call.owner && { ...call.owner, epoch: call.owner.epoch + 100 },
          }),
      };
    }),
  },
  {
    name: 'a janitor that does not look',
    sweep: 'terminate',
    operation: 'instance.live-migrate',
    title: 'copying its disk',
    prepare: control((skills) => ({ ...skills, findOrphans: () => Promise.resolve([]) })),
  },
  {
    name: 'the boot before the reboot is not kept',
    sweep: 'reset',
    operation: 'host.reboot',
    title: 'an empty one',
    prepare: control((skills) => ({ ...skills, keepBoot: ({ boot }) => Promise.resolve({ boot }) })),
  },
  {
    name: 'a reboot whose worker died reboots again',
    sweep: 'worker dies',
    operation: 'host.reboot',
    title: 'an empty one',
    prepare: forgetsTheBoot,
  },
];
