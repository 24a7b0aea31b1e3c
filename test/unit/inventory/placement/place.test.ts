/** The order of the hosts, and the error when there is none. */
import { expect, test } from 'vitest';
import { noHost, place } from '../../../../activities/inventory/placement/place.js';
import { group, hostNamed, wanted } from './hosts.js';

const order = (...[hosts, request]: Parameters<typeof place>): string[] =>
  place(hosts, request).candidates.map((host) => host.name);

const sizes = [
  hostNamed('big', { memoryMiB: 65_536 }),
  hostNamed('small-b'),
  hostNamed('small-a'),
  hostNamed('small-many', { vcpus: 64 }),
];

test('spread takes the emptiest first, pack the fullest that fits; then the name', () => {
  expect(order(sizes, wanted())).toEqual(['big', 'small-many', 'small-a', 'small-b']);
  expect(order(sizes, wanted({ strategy: 'pack' }))).toEqual(['small-a', 'small-b', 'small-many', 'big']);
});

test('a soft policy comes before room: together, or apart', () => {
  const members = { one: ['small-a'], two: ['small-b'], three: ['small-b', 'small-many'] };
  const subject = (policy: 'soft-affinity' | 'soft-anti-affinity') => ({ group: group(policy, members) });
  expect(order(sizes, wanted({ subject: subject('soft-affinity') }))).toEqual([
    'small-b',
    'small-many',
    'small-a',
    'big',
  ]);
  expect(order(sizes, wanted({ subject: subject('soft-anti-affinity') }))).toEqual([
    'big',
    'small-many',
    'small-a',
    'small-b',
  ]);
});

test('a move prefers hosts that have the stores of its disks: nothing is copied', () => {
  const storage = { nfs1: '/srv/shared' };
  const hosts = [hostNamed('empty', { memoryMiB: 65_536 }), hostNamed('near', { storage })];
  const source = hostNamed('src', { storage });
  const disks = ['/srv/shared/a.qcow2'];
  expect(order(hosts, wanted({ source, subject: { disks } }))).toEqual(['near', 'empty']);
  // Elsewhere mounted, it is another path.
  const moved = [hosts[0] ?? hostNamed('x'), hostNamed('near', { storage: { nfs1: '/mnt' } })];
  expect(order(moved, wanted({ source, subject: { disks } }))).toEqual(['empty', 'near']);
});

test('every host is told with its reason', () => {
  const hosts = [hostNamed('a', { enabled: false }), hostNamed('b', { memoryMiBUsed: 7680 }), hostNamed('c')];
  const request = wanted({ exclude: ['c'] });
  const { rejected } = place(hosts, request);
  expect(noHost('web-1', request, rejected).message).toMatchInlineSnapshot(`
    "no host can take web-1 (1 vCPU, 1024 MiB):
      a: disabled
      b: needs 1024 MiB, 0 MiB free of 7680 MiB
      c: excluded by the request"
  `);
});

test('of thousands the nearest misses are told, and the others counted', () => {
  const hosts = Array.from({ length: 3000 }, (_, index) =>
    hostNamed(`h${index}`, index < 2990 ? { zone: 'west' } : { zone: 'east', memoryMiBUsed: 7680 }),
  );
  const request = wanted({ zone: 'east' });
  const { message, details } = noHost('web-1', request, place(hosts, request).rejected);
  const lines = message.split('\n');
  expect(lines).toHaveLength(22);
  expect([...lines.slice(0, 2), ...lines.slice(10, 12), ...lines.slice(-1)].join('\n'))
    .toMatchInlineSnapshot(`
    "no host can take web-1 (1 vCPU, 1024 MiB): 3000 hosts were refused, 2990 by zone, 10 by memory:
      h2990: needs 1024 MiB, 0 MiB free of 7680 MiB
      h2999: needs 1024 MiB, 0 MiB free of 7680 MiB
      h0: it is in the zone west, not in east
      and 2980 more"
  `);
  expect(details['counts']).toEqual({ zone: 2990, memory: 10 });
  // It travels through Temporal.
  expect(JSON.stringify(details).length).toBeLessThan(300_000);
});
