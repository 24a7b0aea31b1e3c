import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';

export const pause = defineOperation({
  name: 'pause',
  summary: 'Freeze an instance; its memory stays on the host, and a reboot of the host loses it.',
  input: instanceRef,
  allowedStates: ['active'],
  endsIn: ['paused'],
  errors: [],
  undone: 'The guest goes on.',
  doing: 'pausing',
  needs: 'pause',
  async run(_input, ctx) {
    const guest = { instance: ctx.instance.id, name: ctx.instance.name, host: await ctx.host() };
    await ctx.call('pauseGuest', guest, {
      undo: {
        activity: 'unpauseGuest',
        input: { ...guest, undo: true },
        onHost: null,
        says: `${guest.name} may still be paused`,
      },
    });
    return { patch: { state: 'paused', powerState: 'paused' } };
  },
});
