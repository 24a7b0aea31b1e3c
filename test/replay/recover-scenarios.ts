/** Recoveries: done, a false alarm, held back, approved by a person, and cancelled while they ask. */
import { listIncidents } from '../../activities/inventory/incidents.js';
import { turnSwitch } from '../../activities/recovery/switches.js';
import type { SimulatedCloud } from '../temporal/simulated.js';
import { until } from '../temporal/helpers.js';
import { begin } from '../temporal/site.js';
import { fault } from '../unit/workflows/cloud.js';
import { ending, type Scenario, type Stage } from './stage.js';

const recover = ({ site }: Stage) => begin(site, 'host.recover', { host: 'h1', reason: 'test' });

/** Its power is gone; web-1 ran on it. */
async function lose(cloud: SimulatedCloud, bmc: 'ok' | 'dead' = 'ok'): Promise<void> {
  await cloud.adopt('web-1');
  await fault(cloud, { do: 'crash', hosts: ['h1'] });
  await fault(cloud, { do: 'bmc', hosts: ['h1'], state: bmc });
}

const asks = (cloud: SimulatedCloud) =>
  until(
    'it asks',
    async () => (await listIncidents(cloud.inventory)).some((one) => one.waitsFor !== null),
    180_000,
  );

const person = { by: 'ann', role: 'admin', way: null } as const;

export const recoverScenarios: Record<string, Scenario> = {
  'host.recover.succeeded': async (stage) => {
    await lose(stage.cloud);
    return ending(await recover(stage), 'done');
  },
  'host.recover.false-alarm': async (stage) => {
    await stage.cloud.adopt('web-1');
    return ending(await recover(stage), 'done');
  },
  'host.recover.refused': async (stage) => {
    await turnSwitch(stage.cloud.inventory, {
      zone: null,
      mode: 'disarmed',
      reason: 'test',
      by: 'ann',
      forSeconds: null,
    });
    return ending(await recover(stage), 'RecoveryHeld');
  },
  'host.recover.attested': async (stage) => {
    await lose(stage.cloud, 'dead');
    const handle = await recover(stage);
    await asks(stage.cloud);
    await handle.executeUpdate('attest', { args: [person] });
    return ending(handle, 'done');
  },
  'host.recover.cancelled': async (stage) => {
    await lose(stage.cloud, 'dead');
    const handle = await recover(stage);
    await asks(stage.cloud);
    await handle.cancel();
    return ending(handle, 'CancelledFailure');
  },
};
