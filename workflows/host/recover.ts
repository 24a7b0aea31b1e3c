import { z } from 'zod';
import { defineHostOperation } from '../define.js';
import { hostRefInput } from '../inputs.js';
import { bringBack } from '../recovery/bring-back.js';
import { confirm } from '../recovery/confirm.js';
import { fence } from '../recovery/fence.js';
import { leave } from '../recovery/leave.js';
import { Recovery } from '../recovery/recovery.js';

export const recover = defineHostOperation({
  name: 'recover',
  summary:
    'Bring the instances of a lost host back elsewhere: confirm that it is lost, make sure that it is off, evacuate.',
  input: hostRefInput.extend({
    reason: z
      .string()
      .min(1)
      .default('it does not answer')
      .describe('What is known of it, for whoever reads the incident'),
  }),
  errors: ['RecoveryHeld', 'Rejected', 'RecoveryIncomplete'],
  undone:
    'Nothing: a host that was fenced stays fenced until it is readmitted, and what runs elsewhere stays there. Before the fence nothing was done but to close the host for new instances, which is taken back.',
  takesTime: true,
  joins: true,
  async run({ host, reason }, ctx) {
    const recovery = await Recovery.open(ctx, host, reason);
    return recovery.closing(async () => {
      if (recovery.evidence === null) {
        const end = (await confirm(recovery)) ?? (await leave(recovery));
        if (end !== null) return end;
        const fenced = await fence(recovery);
        if ('ending' in fenced) return fenced.ending;
        // From here on the host is off for certain: nothing is asked of it any more, and its guests may run elsewhere.
        await recovery.hold(fenced.evidence);
      }
      return bringBack(recovery);
    });
  },
});
