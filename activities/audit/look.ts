/** Asks hosts for their guests and keeps what they show. A host that does not answer is an answer, too. */
import type { SeenGuest, SeenHost } from '../../model/audit.js';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Disk } from '../../model/instance.js';
import type { GuestView, Hypervisor } from '../hypervisor/port.js';
import { isFenced } from '../hypervisor/fenced.js';
import type { Seen } from '../recovery/return-seen.js';
import { read, type Inventory } from '../inventory/database.js';
import { keepDefinitionsSeen } from '../inventory/definitions.js';
import type { Call } from '../types.js';
import { keepSeen } from './store.js';

export interface LookDeps {
  inventory: Inventory;
  hypervisor: Hypervisor;
  /** Who runs on a host that is fenced. */
  quarantine?: ((host: HostRef) => Promise<Seen>) | undefined;
}

/** Hosts asked at a time: each is a client process of its own. */
const AT_A_TIME = 8;

export async function lookAtHosts(
  { inventory, hypervisor, quarantine }: LookDeps,
  { audit, hosts }: { audit: string; hosts: HostRef[] },
  call: Call,
): Promise<{ answered: { host: HostRef; disks: string[] }[] }> {
  const recorded = await recordedDisks(
    inventory,
    hosts.map(({ name }) => name),
  );
  const seen: { host: string; seen: SeenHost }[] = [];
  const answered: { host: HostRef; disks: string[] }[] = [];
  const queue = [...hosts];
  const lane = async (): Promise<void> => {
    for (let host = queue.shift(); host !== undefined; host = queue.shift()) {
      const shown = await show({ inventory, hypervisor, quarantine }, host);
      seen.push({ host: host.name, seen: shown });
      call.heartbeat({ phase: 'looking', hosts: seen.length });
      if (shown.state === 'silent') continue;
      const disks = new Set([
        ...(recorded.get(host.name) ?? []),
        ...shown.guests.flatMap((one) => one.disks),
      ]);
      answered.push({ host, disks: [...disks].toSorted() });
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, hosts.length) }, lane));
  await keepSeen(inventory, audit, seen);
  return { answered: answered.toSorted((one, other) => (one.host.name < other.host.name ? -1 : 1)) };
}

async function show({ inventory, hypervisor, quarantine }: LookDeps, host: HostRef): Promise<SeenHost> {
  try {
    const guests = await hypervisor.list(host);
    await keepDefinitionsSeen(inventory, host.name, guests);
    return { state: 'answered', guests: guests.map(seenGuest), files: null };
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    const seen = isFenced(error) ? await quarantine?.(host) : undefined;
    if (seen?.answers !== true) return { state: 'silent', reason: error.message };
    const twice = seen.running.flatMap(({ elsewhere, ...guest }) =>
      elsewhere === null ? [] : [{ ...guest, elsewhere }],
    );
    return {
      state: 'silent',
      reason: `it is fenced and answers again: quarantined until \`drover host readmit ${host.name}\``,
      quarantined: twice,
    };
  }
}

export const seenGuest = (view: GuestView): SeenGuest => ({
  id: view.id,
  name: view.name,
  power: view.power,
  half: view.postCopy !== null,
  persistent: view.persistent,
  managedSave: view.managedSave,
  autostart: view.autostart,
  vcpus: view.vcpus,
  memoryMiB: view.memoryMiB,
  disks: view.disks.filter((disk) => !disk.readonly).map((disk) => disk.path),
  stamp: view.stamp,
});

async function recordedDisks(inventory: Inventory, hosts: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('instances')
      .select(['host', 'disks'])
      .where('host', 'in', hosts)
      .where('state', '<>', 'deleted')
      .execute(),
  );
  const found = new Map<string, string[]>();
  for (const { host, disks } of rows) {
    const paths = (JSON.parse(disks) as Disk[]).filter((disk) => !disk.readonly).map((disk) => disk.path);
    if (host !== null) found.set(host, [...(found.get(host) ?? []), ...paths]);
  }
  return found;
}
