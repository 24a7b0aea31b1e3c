/** What is so after a blow, by processes, files and the guests' own words, and whether the record tells the same. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Instance } from '../../../model/instance.js';
import { ledgerOf } from '../../proof/ledger.js';
import { mistold, recordOf } from '../../proof/told.js';
import type { Tick } from '../judge.js';
import type { KillCase } from './cases.js';
import type { KillFault } from './faults.js';
import { counting, rowOf, type Guest } from './guests.js';
import { hosts, type KillSite } from './site.js';

export interface Struck {
  guest: Guest;
  one: KillCase;
  fault: KillFault;
  source: string;
  target: string;
  /** Of its operation. */
  request: string;
  before: Tick;
  end: string;
}

/** Sentences of what does not hold, once all is settled. */
export async function wrongWith(site: KillSite, struck: Struck): Promise<string[]> {
  const { guest, end, request } = struck;
  const row = await rowOf(site, guest);
  const found = [
    ...place(struck, row),
    ...(await copies(site, row)),
    ...(await files(site, row)),
    ...(await marker(site, struck, row).catch((error: unknown) => [String(error)])),
    ...(await ledgerOf(site.inventory, row)),
    ...mistold(await recordOf(site.inventory, request), end),
  ];
  return found.map((what) => `${what} (${row.state} on ${row.host}, power ${row.powerState})`);
}

/** While the target has no power: it is whole on the source, or it is told what can't be known or done. */
export async function wrongInTheDark(site: KillSite, { guest, source, target }: Struck): Promise<string[]> {
  const row = await rowOf(site, guest);
  const alive = (await site.world.judge.copies(guest.name)).map(({ host }) => host);
  if (row.host === target) {
    return alive.length === 0
      ? []
      : [`recorded on ${target}, which has no power, and runs on ${alive.join()}`];
  }
  if (row.needsRepair?.includes(target) || row.powerState === 'unknown') return [];
  const whole = alive.join() === source && row.state === 'active';
  return whole
    ? []
    : [`nothing is told to repair, and it is ${row.state}, alive on ${alive.join() || 'none'}`];
}

/** What nothing could prevent is well; where power was lost it may have gone down with its host. */
function place({ one, fault, source, target, end }: Struck, { state, host }: Instance): string[] {
  const is = `${state} on ${host}`;
  const well = `${one.well.state} on ${one.well.host === 'target' ? target : source}`;
  const asBefore = `active on ${source}`;
  const dark = fault === 'power of target' ? [well, asBefore, `stopped on ${target}`] : null;
  const allowed = dark ?? [end === 'done' ? well : asBefore];
  const wrong = allowed.includes(is)
    ? []
    : [`it ended ${end}, and is ${is} instead of ${allowed.join(' or ')}`];
  // Whom a worker or Temporal leaves for a moment does not notice; libvirt's client may.
  const mayFail = fault.startsWith('libvirtd') || dark !== null;
  return end === 'done' || mayFail ? wrong : [...wrong, `it ended ${end}`];
}

async function copies({ world }: KillSite, { name, state, powerState, host }: Instance): Promise<string[]> {
  const alive = (await world.judge.copies(name)).map((copy) => `${copy.host} ${copy.state}`);
  const runs = state === 'active' || (state === 'resized' && powerState === 'running');
  const wanted = runs ? [`${host} running`] : [];
  const defined = await world.judge.definitions(name);
  return [
    ...(alive.join() === wanted.join() ? [] : [`processes: ${alive.join() || 'none'}, not ${wanted.join()}`]),
    ...(defined.join() === host ? [] : [`defined on ${defined.join() || 'none'}`]),
  ];
}

/** Its disks are where it is, and nothing of it is anywhere else but what is held of the place before. */
async function files({ world }: KillSite, { name, host, disks, resized }: Instance): Promise<string[]> {
  const wrong: string[] = [];
  const own = disks.map(({ path }) => path);
  for (const each of hosts) {
    const there = (await world.judge.diskFiles(each)).filter((file) => basename(file).startsWith(`${name}.`));
    const shared = own.filter((path) => path.startsWith(world.lab.sharedDir));
    const held = each === resized?.host ? resized.copied : [];
    const wanted = each === host ? own : [...shared, ...held];
    if (there.toSorted().join() !== wanted.toSorted().join())
      wrong.push(`${each} has ${there.join() || 'no files'}, and should have ${wanted.join() || 'none'}`);
  }
  return wrong;
}

/** The disk holds what the guest wrote last, which has run unbroken, or was booted from that very disk. */
async function marker(site: KillSite, { guest, one, before }: Struck, row: Instance): Promise<string[]> {
  const { world } = site;
  const { name } = guest;
  const { host } = row;
  const [disk] = row.disks;
  if (host === null || !disk) return ['it has no host or no disk'];
  // By its count alone a guest that was booted meanwhile would be waited for in vain: it begins at 1.
  if (row.powerState === 'running') await counting(site, guest, host);
  const written = await world.judge.diskRecord(host, disk.path);
  const told = /^n=(\d+) boot=([0-9a-f]{8}) name=(\S+)$/.exec(written);
  if (told?.[3] !== name) return [`its disk says "${written}"`];
  const boots = await bootsBefore(world, name);
  let boot = told[2];
  while (boot !== undefined && boot !== before.boot) boot = boots.get(boot);
  if (boot === undefined) return [`its disk is not the one that it wrote: "${written}"`];
  if (!one.live || row.state !== 'active') return [];
  return world.judge.assertUnbroken(name, { from: before }).then(
    () => [],
    (error: unknown) => [String(error)],
  );
}

/** For each boot of the guest, the one whose count it found on its disk. */
async function bootsBefore({ lab }: KillSite['world'], name: string): Promise<Map<string, string>> {
  const said = await Promise.all(
    hosts.map((host) => readFile(lab.hostPaths(host).serialLog(name), 'latin1').catch(() => '')),
  );
  const ups = said
    .join('\n')
    .matchAll(/GUEST UP \S+ boot=([0-9a-f]{8}) [^[]*prev=\[n=\d+ boot=([0-9a-f]{8})/g);
  return new Map([...ups].map(([, boot = '', prev = '']) => [boot, prev]));
}
