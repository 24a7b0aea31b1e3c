import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';

export const unpause = defineOperation({
  name: 'unpause',
  summary: 'Let a paused instance go on.',
  input: instanceRef,
  allowedStates: ['paused'],
  endsIn: ['active'],
  errors: [],
  undone: 'The guest is paused again.',
  doing: 'unpausing',
  needs: 'pause',
  async run(_input, ctx) {
    const guest = { instance: ctx.instance.id, name: ctx.instance.name, host: await ctx.host() };
    await ctx.call('unpauseGuest', guest, {
      undo: {
        activity: 'pauseGuest',
        input: { ...guest, undo: true },
        onHost: null,
        says: `${guest.name} may already run`,
      },
    });
    return { patch: { state: 'active', powerState: 'running' } };
  },
});
