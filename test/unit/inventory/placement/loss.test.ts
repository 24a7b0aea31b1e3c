import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { lossOf, type Guest, type Snapshot } from '../../../../activities/inventory/placement/loss.js';
import { spareOf } from '../../../../activities/inventory/placement/spare.js';
import type { Candidate } from '../../../../activities/inventory/placement/request.js';
import type { GroupPolicy } from '../../../../model/host.js';
import { hostNamed } from './hosts.js';

const gib = 1024;
const hostOf = (name: string, usedGib: number, more: Partial<Candidate> = {}): Candidate =>
  hostNamed(name, {
    vcpus: 64,
    memoryMiB: 8 * gib,
    memoryMiBReserved: 0,
    memoryMiBUsed: usedGib * gib,
    ...more,
  });
const guestOf = (name: string, host: string, sizeGib = 1, more: Partial<Guest> = {}): Guest => ({
  id: name,
  name,
  host,
  ha: '3',
  vcpus: 1,
  memoryMiB: sizeGib * gib,
  disks: [],
  cpuMode: null,
  networks: null,
  group: null,
  ...more,
});
const snapshot = (
  hosts: Candidate[],
  guests: Guest[],
  groups: Record<string, GroupPolicy> = {},
): Snapshot => ({ hosts, guests, groups: new Map(Object.entries(groups)), strategy: 'spread' });
const targets = (of: Snapshot, ...lost: string[]) =>
  lossOf(of, lost).placed.map(({ name, to }) => `${name} ${to}`);

test('each takes the room of the one before, in the order of the recovery, and is told why it finds none', () => {
  const of = snapshot(
    [hostOf('a', 8), hostOf('b', 5), hostOf('c', 6)],
    [
      guestOf('big', 'a', 3),
      guestOf('next', 'a', 2),
      guestOf('late', 'a', 1),
      guestOf('not', 'a', 2, { ha: 'never' }),
    ],
  );
  expect(targets(of, 'a')).toEqual(['big b', 'next c']);
  const { unplaced, staying } = lossOf(of, ['a']);
  expect(staying).toEqual([{ instance: 'not', name: 'not', from: 'a' }]);
  expect(
    unplaced.map(({ name, rejections }) => [
      name,
      rejections.map(({ host, reason }) => `${host}: ${reason}`),
    ]),
  ).toEqual([
    ['late', ['b: needs 1024 MiB, 0 MiB free of 8192 MiB', 'c: needs 1024 MiB, 0 MiB free of 8192 MiB']],
  ]);
});

test('nothing of the snapshot is changed by it', () => {
  const of = snapshot([hostOf('a', 2), hostOf('b', 0)], [guestOf('g', 'a', 2)]);
  const before = JSON.stringify(of.hosts);
  lossOf(of, ['a']);
  expect(JSON.stringify(of.hosts)).toBe(before);
});

test('a reserved host takes what has a priority and finds no other room, never best effort', () => {
  const of = snapshot(
    [hostOf('a', 8), hostOf('b', 7), hostOf('spare', 0, { reserved: true })],
    [guestOf('one', 'a'), guestOf('two', 'a'), guestOf('effort', 'a', 1, { ha: 'best-effort' })],
  );
  const { placed, unplaced } = lossOf(of, ['a']);
  expect(placed.map(({ name, to, reserved }) => [name, to, reserved])).toEqual([
    ['one', 'b', false],
    ['two', 'spare', true],
  ]);
  expect(unplaced[0]?.rejections.at(-1)?.reason).toBe(
    'it is reserved for what has an HA priority and is evacuated from lost hosts',
  );
});

test('groups are kept: apart from each other and from those that stay, or together', () => {
  const hosts = [hostOf('a', 2), hostOf('b', 1), hostOf('c', 0), hostOf('d', 0, { enabled: false })];
  const apart = snapshot(
    hosts,
    [
      guestOf('w1', 'a', 1, { group: 'g' }),
      guestOf('w2', 'a', 1, { group: 'g' }),
      guestOf('w3', 'b', 1, { group: 'g' }),
    ],
    { g: 'anti-affinity' },
  );
  expect(targets(apart, 'a')).toEqual(['w1 c']);
  expect(lossOf(apart, ['a']).unplaced[0]?.rejections.map(({ filter }) => filter)).toEqual([
    'group',
    'group',
    'enabled',
  ]);
  const together = snapshot(
    hosts,
    [guestOf('w1', 'a', 1, { group: 'g' }), guestOf('w2', 'a', 1, { group: 'g' })],
    {
      g: 'affinity',
    },
  );
  expect(targets(together, 'a')).toEqual(['w1 c', 'w2 c']);
});

test('a disk on a shared store goes where that is', () => {
  const storage = { nfs: '/srv/nfs' };
  const of = snapshot(
    [hostOf('a', 1, { storage }), hostOf('b', 0), hostOf('c', 5, { storage })],
    [guestOf('g', 'a', 1, { disks: ['/srv/nfs/g.qcow2'] })],
  );
  expect(targets(of, 'a')).toEqual(['g c']);
});

test('a disk of the host’s own is lost with it, once anybody declares what is shared', () => {
  const guests = [guestOf('g', 'a', 1, { disks: ['/data/g.qcow2'] })];
  expect(targets(snapshot([hostOf('a', 1), hostOf('b', 0)], guests), 'a')).toEqual(['g b']);
  const storage = { nfs: '/srv/nfs' };
  const of = snapshot([hostOf('a', 1, { storage }), hostOf('b', 0, { storage })], guests);
  expect(lossOf(of, ['a']).unplaced[0]?.rejections).toMatchObject([
    { host: 'a', reason: '/data/g.qcow2 lies in no shared store that it declares: it is lost with the host' },
  ]);
});

test('the fleet can lose one host but not two, and the two are named', () => {
  const of = snapshot(
    ['a', 'b', 'c'].map((name) => hostOf(name, 4)),
    ['a', 'b', 'c'].flatMap((host) => [guestOf(`${host}1`, host, 2), guestOf(`${host}2`, host, 2)]),
  );
  expect(spareOf(of)).toMatchObject({
    hosts: 3,
    spare: 1,
    checked: 'every combination',
    limit: { hosts: ['a', 'b'], unplaced: 2 },
    each: [
      { host: 'a', instances: 2, unplaced: 0 },
      { host: 'b', instances: 2, unplaced: 0 },
      { host: 'c', instances: 2, unplaced: 0 },
    ],
  });
});

test('one host alone can not be lost; hosts that are silent or fenced count as none', () => {
  expect(spareOf(snapshot([hostOf('a', 1)], [guestOf('g', 'a')]))).toMatchObject({
    spare: 0,
    limit: { hosts: ['a'] },
  });
  const dead = hostOf('b', 0, { state: 'unknown' });
  expect(spareOf(snapshot([hostOf('a', 1), dead], [guestOf('g', 'a')]))).toMatchObject({
    hosts: 1,
    spare: 0,
  });
});

test('where all combinations are too many, the worst is searched by greedy choice, and said so', () => {
  const names = Array.from({ length: 40 }, (_, index) => `h${String(index).padStart(2, '0')}`);
  const of = snapshot(
    names.map((name) => hostOf(name, 7)),
    names.map((name) => guestOf(`g-${name}`, name, 7)),
  );
  expect(spareOf(of)).toMatchObject({ spare: 0, checked: 'every combination' });
  const roomy = snapshot(
    names.map((name) => hostOf(name, 4)),
    names.flatMap((name) => [0, 1, 2, 3].map((n) => guestOf(`g${n}-${name}`, name, 1))),
  );
  // Each host has room for as much again: half of them can be lost, and not one more.
  expect(spareOf(roomy)).toMatchObject({ spare: 20, checked: 'greedy worst case', limit: { unplaced: 8 } });
});

test('no host is ever given more than it has, and every instance is told once', () => {
  const drawn = fc.record({
    free: fc.array(fc.nat(8), { minLength: 2, maxLength: 6 }),
    sizes: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 10 }),
  });
  fc.assert(
    fc.property(drawn, ({ free, sizes }) => {
      const hosts = free.map((gibs, index) => hostOf(`h${index}`, 8 - gibs));
      const of = snapshot(
        hosts,
        sizes.map((size, index) => guestOf(`g${index}`, 'h0', size)),
      );
      const { placed, unplaced } = lossOf(of, ['h0']);
      expect(placed.length + unplaced.length).toBe(sizes.length);
      for (const [index, gibs] of free.entries()) {
        const given = placed
          .filter(({ to }) => to === `h${index}`)
          .map(({ name }) => sizes[Number(name.slice(1))] ?? 0);
        expect(given.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(index === 0 ? 0 : gibs);
      }
    }),
  );
});
