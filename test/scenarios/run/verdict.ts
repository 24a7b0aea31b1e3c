/**
 * The judge of a scenario: it sees the whole datacenter at once, and holds the record against it. What is on a host
 * without power is judged by nobody: that host's state is told instead.
 */
import { listHosts } from '../../../activities/inventory/hosts.js';
import { listInstances } from '../../../activities/inventory/instances.js';
import { copiesOf } from '../../../activities/simulator/guests.js';
import { findHost } from '../../../activities/simulator/hosts.js';
import type { Instance } from '../../../model/instance.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { broken } from '../../proof/invariants.js';

/** Of a large fleet so many are looked at from all sides, spread over it. */
const judged = 200;

export async function verdict(cloud: VirtualCloud): Promise<string[]> {
  const { inventory, datacenter, random } = cloud;
  const world = { cloud: cloud.name, datacenter, inventory, uuid: () => random.uuid() };
  const wrong: string[] = [];
  const notes: string[] = [];
  const all = await listInstances(inventory);
  const lost = (await listHosts(inventory)).filter(({ fence }) => fence !== null).map(({ name }) => name);
  const every = Math.max(1, Math.floor(all.length / judged));
  for (const it of all.filter((_, index) => index % every === 0)) {
    wrong.push(...(await runsTwice(cloud, it)));
    if (it.operation !== null) notes.push(`${it.name} is busy: ${it.task}`);
    else if (await isDark(cloud, it.host)) notes.push(`${it.name} is on ${it.host}, which has no power`);
    else if (await fellWithItsHost(cloud, it))
      notes.push(`${it.name} went off with ${it.host}, and its record does not know yet`);
    else {
      // What nobody could look at is told as unknown, and that is no lie.
      const unseen = it.powerState === 'unknown';
      const found = (await broken(world, it.id)).filter(
        (what) => !(unseen && what.startsWith('its power')) && !isLeftBehind(what, lost),
      );
      wrong.push(...found.map((what) => `${it.name}: ${what}`));
      if (unseen) notes.push(`${it.name}: nobody knows its power`);
      if (it.needsRepair !== null) notes.push(`${it.name} waits for its repair`);
    }
  }
  wrong.push(...(await overfull(cloud)), ...(await orphans(cloud, all)));
  return [...(wrong.length === 0 ? ['all holds'] : wrong.map((what) => `WRONG: ${what}`)), ...notes];
}

/** Nobody calls a fenced host: what is left there is removed when it is readmitted. */
const isLeftBehind = (what: string, lost: readonly string[]): boolean =>
  lost.some(
    (host) =>
      what.startsWith(`a guest is left on ${host} `) || what.startsWith(`its memory is saved on ${host} `),
  );

const isDark = ({ datacenter }: VirtualCloud, host: string | null): Promise<boolean> =>
  datacenter.transact((tx) => host !== null && findHost(tx, host)?.power !== 'on');

/** Nobody looks at guests when a host has come back: docs/known-limits.md. */
async function fellWithItsHost(
  { datacenter }: VirtualCloud,
  { id, host, state }: Instance,
): Promise<boolean> {
  if (host === null || !['active', 'paused'].includes(state)) return false;
  return datacenter.transact((tx) => {
    const [copy, other] = copiesOf(tx, id);
    const rebooted = (findHost(tx, host)?.boots ?? 1) > 1;
    return rebooted && other === undefined && copy?.host === host && copy.power === 'shutoff';
  });
}

async function runsTwice({ datacenter }: VirtualCloud, { id, name }: Instance): Promise<string[]> {
  const alive = await datacenter.transact((tx) =>
    copiesOf(tx, id).filter(({ power }) => power === 'running' || power === 'paused'),
  );
  return alive.length > 1 ? [`${name} runs on ${alive.map(({ host }) => host).join(' and ')}`] : [];
}

async function overfull({ inventory }: VirtualCloud): Promise<string[]> {
  return (await listHosts(inventory)).flatMap((host) => {
    const vcpus = host.vcpusUsed > host.vcpus * host.cpuOvercommit;
    const full = vcpus || host.memoryMiBUsed > host.memoryMiB || host.slotsUsed > host.slots;
    return full ? [`${host.name} has more allocated than it has`] : [];
  });
}

/** Guests of instances that are deleted or were never recorded, and disks of nobody. */
async function orphans({ datacenter, log }: VirtualCloud, all: readonly Instance[]): Promise<string[]> {
  const known = new Set(all.filter(({ state }) => state !== 'deleted').map(({ id }) => id));
  const rows = await datacenter.transact((tx) =>
    tx.all<{ id: string; host: string; stamp: string | null }>(
      'select id, host, stamp_operation as stamp from guests order by host, name',
    ),
  );
  return rows
    .filter(({ id, stamp }) => !known.has(id) && stamp !== null && stamp !== '')
    .map(({ id, host }) => `${log.told(id)} is left on ${host}, and nobody knows it`);
}
