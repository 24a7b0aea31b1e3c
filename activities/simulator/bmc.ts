/** The BMCs of simulated hosts, with a power line and a network of their own: they answer while their host is off. */
import type { Datacenter } from './datacenter.js';
import type { Binding, FenceAnswer, Fencing } from '../fencing/port.js';
import type { HostRef } from '../../model/host.js';
import type { Tx } from './database.js';
import { boot, cutPower } from './host-power.js';
import { findHost, requireHost, type HostRow } from './hosts.js';
import { hostOf } from './reach.js';

/** What fence agents were seen to take (docs/fencing.md), in ms; the last is our own limit. */
const takes = { answer: 200, power: 300, noRoute: 3_000, deaf: 21_000, hung: 40_000 };

export function createSimulatedFencing(datacenter: Datacenter): Fencing {
  const wait = (ms: number) => datacenter.clock.sleep(ms, datacenter.closed);

  /** Asks the BMC; `work` is done when it answers, and says how long that took. */
  async function ask(
    host: HostRef,
    device: string,
    work: (tx: Tx, at: { its: HostRow; bmc: HostRow }) => { answer: FenceAnswer; ms: number },
  ): Promise<FenceAnswer> {
    const { answer, ms } = await datacenter.transact((tx) => {
      const bmc = requireHost(tx, hostOf(datacenter, host));
      const silent = silence(bmc, device);
      return silent ?? work(tx, { bmc, its: requireHost(tx, bmc.bmc_of ?? bmc.name) });
    });
    await wait(ms);
    return { ...answer, seconds: ms / 1000 };
  }

  const turn = (host: HostRef, device: string, power: 'on' | 'off') =>
    ask(host, device, (tx, { its, bmc }) => {
      if (bmc.bmc === 'lie') tx.run('update hosts set bmc_said = ? where name = ?', power, bmc.name);
      else if (bmc.bmc === 'deaf') {
        if (powerOf(its) === power) return { answer: good(power), ms: takes.power };
        const error = `${device} took \`${power}\`, and the power is still ${powerOf(its)}`;
        return { answer: bad('deaf', error), ms: takes.deaf };
      } else if (power === 'off') cutPower(tx, its.name);
      else if (its.power === 'off') boot(tx, its.name);
      return { answer: good(power), ms: takes.power };
    });

  return {
    async devices(host) {
      const known = await datacenter.transact((tx) => findHost(tx, hostOf(datacenter, host)));
      return known === undefined ? [] : [{ name: `${host.name}/1 (bmc)`, level: 1 }];
    },

    countsSelfFence: async () => true,

    async identify(host, device, systemUuid) {
      const { binding, ms } = await datacenter.transact((tx) => {
        const bmc = requireHost(tx, hostOf(datacenter, host));
        const silent = silence(bmc, device);
        if (silent !== null && !silent.answer.ok)
          return { binding: unknown(silent.answer.error), ms: silent.ms };
        const { system_uuid: told } = requireHost(tx, bmc.bmc_of ?? bmc.name);
        return { binding: compare(device, told, systemUuid), ms: takes.answer };
      });
      await wait(ms);
      return binding;
    },

    status: (host, device) =>
      ask(host, device, (_tx, { its, bmc }) => ({
        answer: good(bmc.bmc === 'lie' ? (bmc.bmc_said ?? powerOf(its)) : powerOf(its)),
        ms: takes.answer,
      })),
    off: (host, device) => turn(host, device, 'off'),
    on: (host, device) => turn(host, device, 'on'),
  };
}

const powerOf = ({ power }: HostRow): 'on' | 'off' => (power === 'off' ? 'off' : 'on');
const good = (power: 'on' | 'off'): FenceAnswer => ({ ok: true, power, seconds: 0 });
const bad = (why: 'unreachable' | 'refused' | 'hung' | 'deaf', error: string): FenceAnswer => ({
  ok: false,
  why,
  error,
  seconds: 0,
});
const unknown = (says: string): Binding => ({ binding: 'unknown', systemUuid: null, says });

function silence({ bmc }: HostRow, device: string): { answer: FenceAnswer; ms: number } | null {
  if (bmc === 'dead')
    return { answer: bad('unreachable', `${device}: no route to the device`), ms: takes.noRoute };
  if (bmc === 'hang') {
    const error = `${device} did not answer within ${takes.hung / 1000} s, and was given up`;
    return { answer: bad('hung', error), ms: takes.hung };
  }
  if (bmc === 'wrong-password')
    return { answer: bad('refused', `${device} refused the user or the password`), ms: takes.answer };
  return null;
}

function compare(device: string, told: string, wanted: string | null): Binding {
  if (wanted === null)
    return {
      binding: 'unknown',
      systemUuid: told,
      says: `${device} tells system UUID ${told}; that of the host was never seen`,
    };
  return told === wanted
    ? { binding: 'same', systemUuid: told, says: `${device} tells the system UUID of the host` }
    : {
        binding: 'other',
        systemUuid: told,
        says: `${device} tells system UUID ${told}, and the host has ${wanted}`,
      };
}
