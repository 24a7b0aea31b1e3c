/** Hosts and requests for placements that need no inventory. */
import {
  anySubject,
  type Candidate,
  type Group,
  type Subject,
  type Wanted,
} from '../../../../activities/inventory/placement/request.js';
import type { HostCpu } from '../../../../model/host.js';

export const hostNamed = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  name,
  uri: `test://${name}`,
  state: 'up',
  stateReason: null,
  enabled: true,
  disabledReason: null,
  maintenance: null,
  systemUuid: null,
  vcpus: 8,
  vcpusUsed: 0,
  cpuOvercommit: 2,
  memoryMiB: 8192,
  memoryMiBUsed: 0,
  memoryMiBReserved: 512,
  slots: 2,
  slotsUsed: 0,
  labels: {},
  zone: null,
  cpu: null,
  networks: null,
  storage: {},
  reserved: false,
  controlPlane: false,
  fence: null,
  lastSeenAt: null,
  createdAt: '2026-11-01T00:00:00.000Z',
  ...more,
});

export const wanted = ({
  subject,
  ...more
}: Partial<Omit<Wanted, 'subject'>> & { subject?: Partial<Subject> } = {}): Wanted => ({
  vcpus: 1,
  memoryMiB: 1024,
  host: null,
  exclude: [],
  from: more.source?.name ?? null,
  source: undefined,
  strategy: 'spread',
  ...more,
  subject: { ...anySubject, ...subject },
});

/** Members by name, each with its hosts: `{ 'web-1': ['a'] }`. */
export const group = (policy: Group['policy'], members: Record<string, string[]>): Group => ({
  name: 'web',
  policy,
  members: Object.entries(members).map(([name, hosts]) => ({ name, hosts })),
});

export const cpu = (model: string, features: string[], more: Partial<HostCpu> = {}): HostCpu => ({
  arch: 'x86_64',
  vendor: 'AMD',
  model,
  features,
  ...more,
});
