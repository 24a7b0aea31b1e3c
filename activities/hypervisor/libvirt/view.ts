import type { HostRef } from '../../../model/host.js';
import type { Disk } from '../../../model/instance.js';
import type { GuestView, HostFacts } from '../port.js';
import { DroverError } from '../../../model/errors.js';
import { cpuOf, networksOf } from './machine.js';
import { postCopyOf, powerOf, splitState } from './power.js';
import { readStamp, withoutStamp } from './stamp.js';
import type { Virsh } from './virsh.js';
import { parseDomain, parseHostUuid, type DomainXml } from './xml.js';

/** Guests per client process: a batch is one argument, which Linux limits to 128 KiB. */
const BATCH = 100;

const lines = (text: string | null | undefined): string[] =>
  (text ?? '').split('\n').filter((line) => line !== '');

/** What the host knows of these guests; null for one that it does not know. */
export async function viewGuests(virsh: Virsh, host: HostRef, ids: string[]): Promise<(GuestView | null)[]> {
  const answer = await virsh.batch(host, [
    'list --all --uuid --persistent',
    'list --all --uuid --with-managed-save',
    'list --all --uuid --autostart',
    ...ids.flatMap((id) => [
      `dumpxml ${id}`,
      `domstate --reason ${id}`,
      `snapshot-list --name ${id}`,
      `checkpoint-list --name ${id}`,
      `dumpxml --inactive ${id}`,
    ]),
  ]);
  const persistent = new Set(lines(answer[0]));
  const saved = new Set(lines(answer[1]));
  const autostart = new Set(lines(answer[2]));
  return ids.map((_, index) => {
    const [xml, state, snapshots, checkpoints, stored] = answer.slice(3 + 5 * index, 8 + 5 * index);
    // It may vanish between two commands of the batch: then it is gone.
    if (!xml || !state) return null;
    const domain = parseDomain(xml);
    return {
      ...viewOf(domain, state),
      // A guest that runs shows the processor that was made of its mode, not the mode.
      ...(stored ? { cpuMode: cpuModeOf(parseDomain(stored)) } : {}),
      persistent: persistent.has(domain.uuid),
      managedSave: saved.has(domain.uuid),
      autostart: autostart.has(domain.uuid),
      snapshots: lines(snapshots).length,
      checkpoints: lines(checkpoints).length,
      // Of a guest without a stored one libvirt shows what it runs from, without what belongs to this process.
      definition: withoutStamp(stored ?? xml),
    };
  });
}

export async function listGuests(virsh: Virsh, host: HostRef): Promise<GuestView[]> {
  const [known] = await virsh.batch(host, ['list --all --uuid']);
  const ids = lines(known);
  const views: (GuestView | null)[] = [];
  for (let from = 0; from < ids.length; from += BATCH) {
    views.push(...(await viewGuests(virsh, host, ids.slice(from, from + BATCH))));
  }
  return views.filter((view) => view !== null);
}

export async function nameGuests(virsh: Virsh, host: HostRef): Promise<{ id: string; name: string }[]> {
  const [known] = await virsh.batch(host, ['list --all --uuid --name']);
  // A name may hold spaces; the id before it does not.
  return lines(known).map((line) => ({
    id: line.slice(0, line.indexOf(' ')),
    name: line.slice(line.indexOf(' ')).trim(),
  }));
}

/** The part of a view that the XML and the state tell. */
export function viewOf(
  domain: DomainXml,
  state: string,
): Omit<GuestView, 'persistent' | 'managedSave' | 'autostart' | 'snapshots' | 'checkpoints' | 'definition'> {
  return {
    id: domain.uuid,
    name: domain.name,
    power: powerOf(state),
    reason: splitState(state).reason,
    postCopy: postCopyOf(splitState(state).reason),
    vcpus: Number(domain.vcpu?.['#text'] ?? 1),
    memoryMiB: toMiB(domain.memory['#text'], domain.memory['@unit']),
    disks: domain.devices.disk.flatMap((disk) => diskOf(disk) ?? []),
    cpuMode: cpuModeOf(domain),
    networks: networksOfGuest(domain),
    serialLog: domain.devices.serial.find((serial) => serial.log)?.log?.['@file'] ?? null,
    stamp: readStamp(domain),
  };
}

const cpuModeOf = (domain: DomainXml): string => domain.cpu?.['@mode'] ?? 'default';

const networksOfGuest = (domain: DomainXml): string[] => [
  ...new Set(
    domain.devices.interface.flatMap(({ source }) => {
      const name = source?.['@network'] ?? source?.['@bridge'] ?? source?.['@dev'];
      return name === undefined ? [] : [name];
    }),
  ),
];

/** Disks that are a file or a block device of the host; an empty drive and a network disk are none of ours. */
function diskOf(disk: DomainXml['devices']['disk'][number]): Disk | null {
  const path = disk.source?.['@file'] ?? disk.source?.['@dev'];
  const format = disk.driver?.['@type'] ?? 'raw';
  if (path === undefined || (format !== 'qcow2' && format !== 'raw')) return null;
  const readonly = disk.readonly !== undefined || disk['@device'] === 'cdrom';
  return { target: disk.target['@dev'], path, format, readonly };
}

const unitBytes: Record<string, number> = {
  b: 1,
  bytes: 1,
  KB: 1e3,
  k: 1024,
  KiB: 1024,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
};
const toMiB = (value: string, unit = 'KiB'): number =>
  Math.floor((Number(value) * (unitBytes[unit] ?? 1024)) / 1024 ** 2);

export async function hostFacts(virsh: Virsh, host: HostRef, limitMs: number): Promise<HostFacts> {
  const answer = await virsh.batch(
    host,
    ['hostname', 'capabilities', 'nodeinfo', 'version --daemon'],
    limitMs,
  );
  const [hostname = '', capabilities = '', nodeinfo = '', version = ''] = answer.map((text) => text ?? '');
  const node = fields(nodeinfo);
  const versions = fields(version);
  const vcpus = Number.parseInt(node['CPU(s)'] ?? '', 10);
  const memoryKiB = Number.parseInt(node['Memory size'] ?? '', 10);
  if (Number.isNaN(vcpus) || Number.isNaN(memoryKiB)) {
    throw new DroverError('HypervisorError', `${host.name}: libvirt does not tell its CPUs and memory`);
  }
  const [cpu, networks] = await Promise.all([cpuOf(virsh, host, capabilities), networksOf(virsh, host)]);
  return {
    cpu,
    networks,
    hostname,
    systemUuid: parseHostUuid(capabilities),
    vcpus,
    memoryMiB: Math.floor(memoryKiB / 1024),
    hypervisor: `${versions['Running hypervisor'] ?? 'unknown'}, libvirt ${versions['Running against daemon'] ?? 'unknown'}`,
  };
}

/** `Key:   value` lines. */
export function fields(text: string): Record<string, string> {
  return Object.fromEntries(
    lines(text).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}
