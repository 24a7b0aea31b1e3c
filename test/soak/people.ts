/** People who answer what recoveries ask. */
import { cutPower } from '../../activities/simulator/host-power.js';
import { recoveryWorkflowId } from '../../model/addresses.js';
import { DroverError } from '../../model/errors.js';
import type { World } from './world.js';

export type Answer = 'approve' | 'reject' | 'attest';

/** All that can be answered so. Nobody attests what he has not done: the power is cut by hand, and then attested. */
export async function answer({ cloud, fences }: World, action: Answer): Promise<void> {
  const asking = await cloud.inventory.kysely
    .selectFrom('incidents')
    .select(['host', 'waits_for'])
    .where('ended_at', 'is', null)
    .where('waits_for', 'is not', null)
    .orderBy('host')
    .execute();
  for (const { host, waits_for: asks } of asking) {
    const run = cloud.temporal.newest(recoveryWorkflowId(cloud.name, host));
    if (run?.open !== true) continue;
    const byHand = asks?.includes('cut its power') ?? false;
    if ((action === 'attest') !== byHand && action !== 'reject') continue;
    if (action === 'attest') {
      fences?.byHand.add(host);
      await cloud.datacenter.transact((tx) => cutPower(tx, host));
    }
    await run.ask(action, { by: 'ada', role: 'admin', comment: 'soak' }).catch((error: unknown) => {
      // It asks something else by now, or has ended.
      if (!(error instanceof DroverError) || error.code === 'Internal') throw error;
    });
  }
}
