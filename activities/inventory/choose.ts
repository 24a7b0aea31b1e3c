/** Chooses a host in a claim's transaction, or for a dry run. */
import type { Disk } from '../../model/instance.js';
import { allCandidates, likelyCandidates, together } from './candidates.js';
import type { Inventory, Trx } from './database.js';
import { groupOf } from './group-members.js';
import { requireHost } from './hosts.js';
import { asksCpu } from './placement/cpu.js';
import { groupWeight } from './placement/group.js';
import { place, type Placement } from './placement/place.js';
import {
  anySubject,
  type Candidate,
  type PlacementRequest,
  type Strategy,
  type Subject,
  type Wanted,
} from './placement/request.js';
import { disksToCopy, storeOf } from './placement/storage.js';
import type { InstanceRow } from './schema.js';

type Clock = Pick<Inventory, 'now'>;
type Known = Pick<InstanceRow, 'id' | 'disks' | 'cpu_mode' | 'networks' | 'server_group'>;

/** What placement needs to know beside the request. */
export async function wantedOf(
  db: Trx,
  clock: Clock,
  request: PlacementRequest,
  { row, strategy = 'spread' }: { row: Known | null; strategy?: Strategy | undefined },
): Promise<Wanted> {
  if (request.host !== null) await requireHost(db, request.host);
  if (request.from !== null) await requireHost(db, request.from);
  const from = request.from ?? request.lost ?? null;
  const [source] = from === null ? [] : await allCandidates(db, clock, { only: from });
  return { ...request, source, strategy, subject: row === null ? anySubject : await subjectOf(db, row) };
}

async function subjectOf(db: Trx, row: Known): Promise<Subject> {
  return {
    disks: (JSON.parse(row.disks) as Disk[]).filter((disk) => !disk.readonly).map((disk) => disk.path),
    cpuMode: row.cpu_mode,
    networks: row.networks === null ? null : (JSON.parse(row.networks) as string[]),
    group: row.server_group === null ? null : await groupOf(db, row.server_group, row.id),
  };
}

/** Looked at first, since one of them nearly always is the best; then so many more; then all that may pass. */
const looks = [8, 128];

/** The best host, the same that the full placement puts first; undefined when no host can take it. */
export async function chooseHost(db: Trx, clock: Clock, wanted: Wanted): Promise<Candidate | undefined> {
  if (wanted.host !== null) return (await placeAll(db, clock, wanted)).candidates[0];
  for (const limit of looks) {
    const found = await likelyCandidates(db, clock, wanted, limit);
    const [host] = place(found, wanted).candidates;
    if (host !== undefined && isOfTheBest(host, wanted)) return host;
    if (found.length < limit) break;
  }
  return place(await likelyCandidates(db, clock, wanted, null), wanted).candidates[0];
}

/** No host that was not looked at can weigh less by its group or by the disks to copy. */
function isOfTheBest(host: Candidate, wanted: Wanted): boolean {
  // One that is not reserved comes before, wherever it is.
  if (host.reserved) return false;
  if (together(wanted).length > 0) return true;
  const { subject, source } = wanted;
  const copies = source === undefined ? 0 : subject.disks.filter((path) => !storeOf(source, path)).length;
  return disksToCopy(host, wanted) === copies && groupWeight(host, wanted) <= 0;
}

export async function placeAll(db: Trx, clock: Clock, wanted: Wanted): Promise<Placement> {
  return place(await allCandidates(db, clock, { only: wanted.host, cpu: asksCpu(wanted) }), wanted);
}
