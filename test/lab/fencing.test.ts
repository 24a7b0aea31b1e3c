/** Real fence agents on BMCs that really have the power of lab hosts, each with what is wrong with BMCs. */
import { createAgents } from '../../activities/fencing/agents.js';
import type { FenceDeviceConfig } from '../../model/fence-devices.js';
import { openLab, type BmcFacts, type BmcMode } from '../../lab/lab.js';
import { fencingContract, type BmcFault, type FencingWorld } from '../contract/fencing.js';

const modes: Record<Exclude<BmcFault, 'dead'>, BmcMode> = {
  ok: 'ok',
  hang: 'hang',
  'wrong-password': 'refuse',
  deaf: 'deaf',
  lie: 'lie',
  swapped: 'swapped host2',
};
// A BMC that does nothing is waited for by the agent, one that never answers by us.
const limits = { power_timeout: '3' };

fencingContract('fence_redfish', () =>
  openFencingLab(({ address }) => ({
    agent: 'fence_redfish',
    with: { ...limits, ip: address, username: 'admin', ssl_insecure: '1' },
  })),
);
fencingContract('fence_ipmilan', () =>
  openFencingLab(({ address }) => ({
    agent: 'fence_ipmilan',
    with: { ...limits, ip: address, username: 'admin', lanplus: '1', power_wait: '1' },
  })),
);

async function openFencingLab(
  how: (bmc: BmcFacts) => Pick<FenceDeviceConfig, 'agent' | 'with'>,
): Promise<FencingWorld> {
  const lab = openLab();
  const wasUp = (await lab.status()).some((host) => host.up);
  await lab.up(2);
  const bmcs = [await lab.bmc('host1'), await lab.bmc('host2')] as const;
  const device = (bmc: BmcFacts): FenceDeviceConfig => ({
    level: 1,
    ...how(bmc),
    secrets: { password: `file:${bmc.passwordFile}` },
    uuid: null,
    trustBinding: false,
    limitSeconds: 8,
  });
  const hosts = Object.fromEntries(bmcs.map((bmc) => [bmc.host, [device(bmc)]]));
  const refOf = async ({ host, uuid }: BmcFacts) => ({
    name: host,
    uri: await lab.uri(host),
    systemUuid: uuid,
  });
  return {
    fencing: createAgents({ config: { hosts, countSelfFence: false } }),
    hosts: [await refOf(bmcs[0]), await refOf(bmcs[1])],
    async bmc(fault) {
      if (fault === 'dead') {
        await lab.bmcPower('host1', 'stop');
      } else {
        await lab.bmc('host1');
        await lab.bmcMode('host1', modes[fault]);
      }
    },
    isOn: async (host) => (await lab.hostNamed(host)).up,
    boot: async (host) => void (await lab.boot(host)),
    async close() {
      for (const { host } of bmcs) await lab.bmcPower(host, 'stop');
      if (!wasUp) await lab.down();
    },
  };
}
