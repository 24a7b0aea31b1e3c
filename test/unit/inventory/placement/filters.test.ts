/** Why a host is refused, word for word, and beside each the host that passes. */
import { expect, test } from 'vitest';
import { filters, rejectionOf } from '../../../../activities/inventory/placement/filters.js';
import type { Candidate, Wanted } from '../../../../activities/inventory/placement/request.js';
import { cpu, group, hostNamed, wanted } from './hosts.js';

const source = hostNamed('src', {
  cpu: cpu('EPYC-Milan', ['aes', 'avx2', 'vaes']),
  storage: { nfs1: '/srv/shared', fast: '/srv/shared/fast' },
});
const maintenance = { until: '2026-11-01T12:00:00Z', by: 'ann', reason: 'memory', run: null };
const fence = {
  incident: 'i',
  at: '2026-11-01T12:00:00Z',
  state: 'held' as const,
  evidence: { kind: 'power-off' as const, at: '', says: '', device: null, verified: true, by: null },
};
const modes = ['host-passthrough', 'host-model', 'maximum'] as const;

const cases: [name: string, refused: Partial<Candidate>, Wanted, says: string][] = [
  ['excluded', {}, wanted({ exclude: ['a'] }), 'excluded by the request'],
  ['enabled', { enabled: false, disabledReason: 'new disks' }, wanted(), 'disabled: new disks'],
  ['maintenance', { maintenance }, wanted(), 'in maintenance until 2026-11-01T12:00:00Z by ann: memory'],
  ['fence', { fence }, wanted(), 'it is fenced since 2026-11-01T12:00:00Z, and not readmitted yet'],
  [
    'reserved',
    { reserved: true },
    wanted(),
    'it is reserved for what has an HA priority and is evacuated from lost hosts',
  ],
  ['state', { state: 'unknown' }, wanted(), 'its state is unknown: it does not answer'],
  ['zone', { zone: 'west' }, wanted({ zone: 'east' }), 'it is in the zone west, not in east'],
  ['zone', {}, wanted({ zone: 'east' }), 'it is in no zone, not in east'],
  ['labels', {}, wanted({ where: { disk: 'ssd' } }), 'it has no label disk (wanted: disk=ssd)'],
  [
    'labels',
    { labels: { disk: 'hdd' } },
    wanted({ where: { disk: 'ssd' } }),
    'its label disk is hdd, not ssd',
  ],
  [
    'group',
    {},
    wanted({ subject: { group: group('anti-affinity', { 'web-1': ['a'] }) } }),
    'web-1 of the anti-affinity group web is there',
  ],
  [
    'group',
    {},
    // One that moves may end on either side.
    wanted({ subject: { group: group('anti-affinity', { 'web-1': ['b', 'a'], 'web-2': ['a'] }) } }),
    'web-1, web-2 of the anti-affinity group web are there',
  ],
  [
    'group',
    {},
    wanted({ subject: { group: group('affinity', { 'web-1': ['b'], 'web-2': ['b'] }) } }),
    'the affinity group web is on b',
  ],
  [
    'group',
    {},
    wanted({ subject: { group: group('affinity', { 'web-1': ['b', 'a'] }) } }),
    'web-1 of the affinity group web is being moved: ask again when that is over',
  ],
  [
    'cpu',
    { cpu: cpu('Kunpeng-920', [], { arch: 'aarch64' }) },
    wanted({ source, subject: { cpuMode: 'custom' } }),
    'its processors are aarch64, those of src are x86_64',
  ],
  [
    'cpu',
    { cpu: cpu('Skylake', ['aes', 'avx2', 'vaes'], { vendor: 'Intel' }) },
    wanted({ source, subject: { cpuMode: 'host-model' } }),
    'its processors are of Intel, the guest (host-model) runs on those of AMD',
  ],
  ...modes.map((cpuMode): (typeof cases)[number] => [
    'cpu',
    { cpu: cpu('EPYC-Rome', ['aes', 'avx2']) },
    wanted({ source, subject: { cpuMode } }),
    `its EPYC-Rome lacks 1 feature of the EPYC-Milan on which the guest (${cpuMode}) runs: vaes`,
  ]),
  [
    'networks',
    { networks: ['br0'] },
    wanted({ subject: { networks: ['br0', 'storage'] } }),
    'it has no network or bridge storage (it has br0)',
  ],
  [
    'storage',
    { storage: { nfs1: '/srv/shared' } },
    wanted({ source, storage: 'shared', subject: { disks: ['/srv/shared/fast/db.qcow2'] } }),
    'it declares no shared store fast at /srv/shared/fast, where /srv/shared/fast/db.qcow2 is',
  ],
  [
    'storage',
    { storage: { nfs1: '/srv/shared' } },
    wanted({ source, storage: 'shared', subject: { disks: ['/var/lib/db.qcow2'] } }),
    '/var/lib/db.qcow2 lies in no shared store that src declares: it would have to be copied',
  ],
  ['vcpus', { vcpusUsed: 14 }, wanted({ vcpus: 4 }), 'needs 4 vCPUs, 2 free of 16 (8 × 2)'],
  [
    'memory',
    { memoryMiBUsed: 7000 },
    wanted({ memoryMiB: 1024 }),
    'needs 1024 MiB, 680 MiB free of 7680 MiB',
  ],
  ['migrations', { slots: 0 }, wanted({ source }), 'a takes part in no migrations (it has 0 slots)'],
  ['slots', { slotsUsed: 2 }, wanted({ source }), '2 of its 2 migration slots are in use'],
  [
    'source-slots',
    {},
    wanted({ source: hostNamed('src', { slotsUsed: 2 }) }),
    '2 of 2 migration slots of the source src are in use',
  ],
];

test.each(cases)('%s: %j', (filter, refused, request, says) => {
  expect(rejectionOf(hostNamed('a', refused), request)).toMatchObject({ host: 'a', filter, reason: says });
});

test('the source itself', () => {
  expect(rejectionOf(source, wanted({ source }))?.reason).toBe('the instance is there now');
});

test('each filter has a case', () => {
  const tried = new Set(['source', ...cases.map(([name]) => name)]);
  expect(filters.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
});

const passing: [what: string, Partial<Candidate>, Wanted][] = [
  [
    'the zone, and more labels than asked',
    { zone: 'e', labels: { a: '1', b: '2' } },
    wanted({ zone: 'e', where: { a: '1' } }),
  ],
  ['with its affinity group', {}, wanted({ subject: { group: group('affinity', { w: ['a'] }) } })],
  ['the first of an affinity group', {}, wanted({ subject: { group: group('affinity', {}) } })],
  [
    'soft policies forbid nothing',
    {},
    wanted({ subject: { group: group('soft-anti-affinity', { w: ['a'] }) } }),
  ],
  [
    'processors that do more',
    { cpu: cpu('X', ['aes', 'avx2', 'vaes', 'new']) },
    wanted({ source, subject: { cpuMode: 'host-model' } }),
  ],
  [
    'a made-up processor runs anywhere',
    { cpu: cpu('X', []) },
    wanted({ source, subject: { cpuMode: 'custom' } }),
  ],
  [
    'off, its processor is made anew',
    { cpu: cpu('X', []) },
    wanted({ source, live: false, subject: { cpuMode: 'host-model' } }),
  ],
  ['processors that nobody asked for', {}, wanted({ source, subject: { cpuMode: 'host-model' } })],
  ['networks that nobody asked for', {}, wanted({ subject: { networks: ['br9'] } })],
  [
    'its stores',
    { storage: { nfs1: '/srv/shared' } },
    wanted({ source, storage: 'shared', subject: { disks: ['/srv/shared/a.qcow2'] } }),
  ],
  [
    'no store, where it may be copied',
    {},
    wanted({ source, storage: 'any', subject: { disks: ['/srv/shared/a.qcow2'] } }),
  ],
  ['no slots, where nothing migrates', { slots: 0 }, wanted()],
];

test.each(passing)('passes: %s', (_what, host, request) => {
  expect(rejectionOf(hostNamed('a', host), request)).toBeUndefined();
});
