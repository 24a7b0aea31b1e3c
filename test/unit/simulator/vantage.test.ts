/** What the vantage points of a simulated datacenter see of a host that fails in each way. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSimulatedReach } from '../../../activities/simulator/vantage.js';
import { createVantageActivities } from '../../../activities/vantage/activities.js';
import type { Signal } from '../../../model/incident.js';
import type { Fault } from '../../../activities/simulator/faults.js';
import { openWorld, type SimulatedWorld } from './world.js';

let world: SimulatedWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.datacenter.close());

const host1 = ['host1'];

async function sees(vantage: string): Promise<string> {
  const { datacenter } = world;
  const reach = createSimulatedReach(datacenter, vantage);
  const work = createVantageActivities({ vantage, reach, clock: datacenter.clock });
  const others = ['host1', 'host2', 'host3'].map(world.host);
  const said = await work.testify({ host: world.host('host1'), others }, world.call('none'));
  const seen = (asked: Signal['signal']) => said.signals.find(({ signal }) => signal === asked)?.seen;
  const { asked, answered } = said.controls;
  return `${seen('hypervisor')}, ${seen('network')}, others ${answered}/${asked}${said.isolated ? ', isolated' : ''}`;
}

test.each<[string, Fault[], string, string]>([
  ['nothing', [], 'answers, answers, others 2/2', 'answers, answers, others 2/2'],
  ['power', [{ do: 'crash', hosts: host1 }], 'silent, silent, others 2/2', 'silent, silent, others 2/2'],
  [
    'cut off',
    [{ do: 'partition', hosts: host1 }],
    'silent, silent, others 2/2',
    'silent, silent, others 2/2',
  ],
  [
    'the host hangs',
    [{ do: 'hang', hosts: host1 }],
    'silent, silent, others 2/2',
    'silent, silent, others 2/2',
  ],
  [
    'libvirtd hangs',
    [{ do: 'libvirtd-hang', hosts: host1 }],
    'silent, answers, others 2/2',
    'silent, answers, others 2/2',
  ],
  [
    'libvirtd is dead',
    [{ do: 'libvirtd-kill', hosts: host1 }],
    'silent, answers, others 2/2',
    'silent, answers, others 2/2',
  ],
  [
    'storage is gone',
    [{ do: 'storage-loss', hosts: host1 }],
    'answers, answers, others 2/2',
    'answers, answers, others 2/2',
  ],
  [
    'north is cut off',
    [{ do: 'blind', vantage: 'north' }],
    'silent, silent, others 0/2, isolated',
    'answers, answers, others 2/2',
  ],
  [
    'cut off from north alone',
    [{ do: 'blind', vantage: 'north', only: host1 }],
    'silent, silent, others 2/2',
    'answers, answers, others 2/2',
  ],
  [
    'north sees again',
    [
      { do: 'blind', vantage: 'north' },
      { do: 'unblind', vantage: 'north' },
    ],
    'answers, answers, others 2/2',
    'answers, answers, others 2/2',
  ],
  [
    'all is healed',
    [
      { do: 'libvirtd-hang', hosts: host1 },
      { do: 'blind', vantage: 'north', only: host1 },
      { do: 'restore', hosts: host1 },
    ],
    'answers, answers, others 2/2',
    'answers, answers, others 2/2',
  ],
])('%s', async (_name, faults, north, south) => {
  for (const fault of faults) await world.fault(fault);
  expect([await sees('north'), await sees('south')]).toEqual([north, south]);
});
