import { durationSchema } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import type { HostCtx } from '../ctx.js';
import { defineHostOperation } from '../define.js';
import { hostRefInput, seconds } from '../inputs.js';
import { asDroverError } from '../unwind.js';

export const reboot = defineHostOperation({
  name: 'reboot',
  summary: 'Reboot a host on which nothing runs; done when it and its worker are back, in another boot.',
  input: hostRefInput.extend({
    timeout: durationSchema.default('15m').describe('How long it may be away, for example 15m'),
  }),
  errors: ['WrongState', 'HostWorkerMissing', 'HostError', 'HypervisorUnreachable', 'TimedOut'],
  undone: 'Nothing: a reboot that was asked for can not be taken back; only the wait for it ends.',
  takesTime: true,
  async run({ host, timeout }, ctx) {
    const { id } = ctx.request;
    const ref = await ctx.call('getHost', { host });
    const now = await ctx.call('bootId', {}, { on: ref });
    // Kept outside of Temporal: a run that is reset must not take the boot after the reboot for the one before.
    const { boot: before } = await ctx.call('keepBoot', { id, boot: now.boot });
    const asked = ctx.now();
    const left = () => Math.max(1, Math.round(seconds(timeout) - (ctx.now() - asked) / 1000));
    ctx.phase('rebooting', `away for at most ${timeout}`);
    // No undo: a reboot that was asked for can't be taken back.
    const after = await orLate(
      ctx,
      { host, timeout },
      ctx.call('rebootHost', { boot: before }, { on: ref, within: left() }),
    );
    ctx.phase('coming back', 'its worker is there again; waiting for its hypervisor');
    await orLate(ctx, { host, timeout }, ctx.call('waitForHost', { host: ref, seconds: left() }));
    const took = Math.round((ctx.now() - asked) / 1000);
    return { host, boot: after.boot, before, seconds: took };
  },
});

/** Says what is known of the host when the waiting ends before it is back. */
async function orLate<T>(
  { cancelled }: Pick<HostCtx, 'cancelled'>,
  { host, timeout }: { host: string; timeout: string },
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const error = asDroverError(cause);
    // What else can go wrong, such as a command that fails, says itself what it did not do.
    if (!['Cancelled', 'TimedOut', 'HostWorkerMissing'].includes(error.code)) throw error;
    const { details } = error;
    const hint = `see \`drover host show ${host}\` and its console; once it is back: \`drover host reboot ${host}\` again, or enable it`;
    // The silence of the host may come in before the word that it is cancelled.
    if (error.code === 'Cancelled' || cancelled()) {
      const message = `the wait for ${host} was cancelled; it was told to reboot and may still do so`;
      throw new DroverError('Cancelled', message, { details, hint });
    }
    const message = `${host} was told to reboot and is not back in another boot within ${timeout}: ${error.message}`;
    throw new DroverError('TimedOut', message, { details, hint });
  }
}
