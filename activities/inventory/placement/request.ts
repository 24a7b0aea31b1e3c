/** What a placement is asked for, and what is known of the instance that is to be placed. */
import type { GroupPolicy, Host } from '../../../model/host.js';

export interface PlacementRequest {
  vcpus: number;
  memoryMiB: number;
  /** The only host to consider, or null for any. */
  host: string | null;
  exclude: readonly string[];
  /** For a move: its source, which gives a migration slot as well; null for a new place. */
  from: string | null;
  /** Whether the guest runs while it moves, so that the target's processors must do what the source's do. Default: it has a source. */
  live?: boolean | undefined;
  /** Labels that the host must have, each with this very value. */
  where?: Readonly<Record<string, string>> | undefined;
  zone?: string | null | undefined;
  /** For a move: `shared` takes only hosts with the stores in which its disks are, `any` (default) prefers them. */
  storage?: 'shared' | 'any' | undefined;
  /** For an evacuation: the host that is lost. It gives nothing any more; where its stores are is where the disks are. */
  lost?: string | undefined;
  /** Whether hosts may be taken that are kept free for evacuations. */
  reserved?: boolean | undefined;
}

/** A host but for the number of its instances, which decides nothing here and is dear to count. */
export type Candidate = Omit<Host, 'instances'>;

export type Strategy = 'spread' | 'pack';

/** The other members of the instance's group. One that moves counts on both its hosts. */
export interface Group {
  name: string;
  policy: GroupPolicy;
  members: readonly { name: string; hosts: readonly string[] }[];
}

export interface Subject {
  /** Paths of the disks that it writes. */
  disks: readonly string[];
  /** How its processor is made, by libvirt's name; null where nobody looked. */
  cpuMode: string | null;
  /** Networks and bridges that it is connected to; null where nobody looked. */
  networks: readonly string[] | null;
  group: Group | null;
}

/** Everything that filters and weighers may look at, beside the host. */
export interface Wanted extends PlacementRequest {
  subject: Subject;
  /** The host that the request calls `from`. */
  source: Candidate | undefined;
  strategy: Strategy;
}

export const isLive = ({ live, from }: PlacementRequest): boolean => live ?? from !== null;

/** For what is not known in more detail: a size alone. */
export const anySubject: Subject = { disks: [], cpuMode: null, networks: null, group: null };
