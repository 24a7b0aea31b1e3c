/** Cases of operations on hosts: each on a host of its own, the third of its place. */
import { getHost, setHostEnabled } from '../../activities/inventory/hosts.js';
import { setHost } from '../../activities/inventory/host-settings.js';
import { endMaintenance, startMaintenance } from '../../activities/inventory/maintenance.js';
import { rebootHost } from '../../activities/simulator/host-power.js';
import { findHost } from '../../activities/simulator/hosts.js';
import type { HostRef } from '../../model/host.js';
import type { Case, Given, Place } from './case.js';

interface Facts {
  enabled?: boolean;
  maintenance?: boolean;
  /** It is in the zone `east`. */
  inEast?: boolean;
  /** Once since the case began. */
  rebooted?: boolean;
}

export function onHost(
  title: string,
  its: { input?: Record<string, unknown>; before: Facts; after: Facts } & Pick<Case, 'fails'>,
): Case {
  const { input = {}, before, after, fails } = its;
  return {
    title,
    ...(fails === undefined ? {} : { fails }),
    async setUp(place) {
      const [, , host] = place.hosts;
      await change(place, host, before);
      const { boots } = await look(place, host);
      const untouched = { ...before, rebooted: false };
      return {
        input: { host: host.name, ...input },
        async wrong(done) {
          const seen = await look(place, host);
          const found = { ...seen, rebooted: seen.boots > boots };
          const is = (facts: Facts) =>
            Object.entries(facts).every(([key, value]) => found[key as keyof Facts] === value);
          const asTold = done === true ? is(after) : is(after) || is(untouched);
          return [
            ...(asTold ? [] : [`${done === true ? 'done' : 'not done'}, but it is ${JSON.stringify(found)}`]),
            ...(seen.boots > boots + 1 ? [`rebooted ${seen.boots - boots} times`] : []),
            ...(seen.power === 'off' || (done === true && seen.power !== 'on')
              ? [`the host is ${seen.power}`]
              : []),
          ];
        },
        second: another(place, host, after, boots),
      };
    },
  };
}

/** Another one changes it to the contrary, or reboots it as well. */
function another(place: Place, host: HostRef, after: Facts, boots: number): NonNullable<Given['second']> {
  const { rebooted, ...told } = after;
  const contrary = Object.fromEntries(Object.entries(told).map(([key, value]) => [key, !value]));
  return {
    act: () => change(place, host, rebooted === undefined ? contrary : { rebooted }),
    async wrong(came) {
      const seen = await look(place, host);
      // What came after the first stands; what came before it, the first has changed again.
      const wanted = rebooted === undefined && came === 'after' ? contrary : told;
      const is = Object.entries(wanted).every(([key, value]) => seen[key as 'enabled'] === value);
      return [
        ...(is ? [] : [`what came later does not stand: ${JSON.stringify({ came, seen })}`]),
        ...(seen.boots > boots + 2 ? [`rebooted ${seen.boots - boots} times`] : []),
      ];
    },
  };
}

async function change(place: Place, { name }: HostRef, facts: Facts): Promise<void> {
  const { inventory, datacenter } = place;
  const { enabled, maintenance, inEast, rebooted } = facts;
  const request = { id: place.uuid(), by: 'another', role: 'admin' as const, run: null };
  const deps = { inventory, currentRun: () => null };
  if (enabled !== undefined)
    await setHostEnabled(inventory, { host: name, enabled, reason: 'why', by: 'another' });
  if (maintenance === true)
    await startMaintenance(deps, { host: name, seconds: 86_400, reason: 'why', request });
  if (maintenance === false) await endMaintenance(deps, { host: name, request });
  if (inEast !== undefined)
    await setHost(deps, { host: name, settings: { zone: inEast ? 'east' : 'west' }, request });
  if (rebooted === true) await datacenter.transact((tx) => rebootHost(tx, name));
}

async function look({ inventory, datacenter }: Place, { name }: HostRef) {
  const told = await getHost(inventory, name);
  const seen = await datacenter.transact((tx) => findHost(tx, name));
  return {
    enabled: told.enabled,
    maintenance: told.maintenance !== null,
    inEast: told.zone === 'east',
    boots: seen?.boots ?? 0,
    power: seen?.power ?? 'gone',
  };
}
