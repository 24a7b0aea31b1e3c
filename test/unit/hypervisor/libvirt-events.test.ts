import { expect, test } from 'vitest';
import { toDroverError } from '../../../activities/hypervisor/libvirt/errors.js';
import { parsePowers } from '../../../activities/hypervisor/libvirt/powers.js';
import { parseEvent } from '../../../activities/hypervisor/libvirt/watch.js';

/** Recorded from virsh 9.0.0 (QEMU 7.2) with LC_ALL=C. */
const heard = (what: string) =>
  parseEvent(`2026-11-22 22:39:05.744+0000: event 'lifecycle' for domain 'web-1': ${what}`);

test.each([
  ['Stopped Failed', 'stopped'],
  ['Stopped Shutdown', 'stopped'],
  ['Stopped Destroyed', 'stopped'],
  ['Stopped Saved', 'stopped'],
  ['Crashed Panicked', 'stopped'],
  ['Suspended I/O Error', 'paused'],
  ['Suspended Watchdog', 'paused'],
  ['Suspended Paused', 'paused'],
])('%s is an end or a standstill', (detail, event) => {
  expect(heard(detail)).toEqual({ name: 'web-1', event, detail });
});

test.each([
  'Defined Added',
  'Started Booted',
  'Resumed Unpaused',
  'Shutdown Finished after guest request',
  'Suspended Migrated',
  'Suspended Post-copy',
  'Suspended Snapshot',
])('%s is none', (detail) => {
  expect(heard(detail)).toBeNull();
});

test('a name may hold anything; other lines are none', () => {
  expect(
    parseEvent(`2026-11-22 22:39:05.744+0000: event 'lifecycle' for domain 'it's: here': Stopped Failed`)
      ?.name,
  ).toBe(`it's: here`);
  expect(parseEvent('\ttime_elapsed: 41')).toBeNull();
  expect(parseEvent('event loop timed out')).toBeNull();
});

test('the power of all guests, of their numbers', () => {
  const guests = [
    ['runs', 1, 1, 'running'],
    ['post-copy', 1, 10, 'migrating'],
    ['broke', 3, 13, 'migrating'],
    ['by hand', 3, 1, 'paused'],
    ['comes in', 3, 11, 'migrating'],
    ['goes down', 4, 0, 'running'],
    ['off', 5, 1, 'shutoff'],
    ['died', 5, 3, 'crashed'],
    ['odd', 0, 0, 'unknown'],
  ] as const;
  const text = guests
    .map(([name, state, reason]) => `Domain: '${name}'\n  state.state=${state}\n  state.reason=${reason}\n`)
    .join('\n');
  expect(parsePowers(text)).toEqual(guests.map(([name, , , power]) => ({ name, power })));
  expect(parsePowers('')).toEqual([]);
});

test('a memory image that libvirt does not list says how to be rid of it', () => {
  const host = { name: 'host1', uri: 'qemu+tcp://10.0.0.1/system' };
  const said =
    'error: Requested operation is not valid: Refusing to undefine while domain managed save image exists';
  expect(toDroverError(host, said)).toMatchObject({
    code: 'StaleSavedState',
    hint: expect.stringContaining('restart libvirtd'),
  });
});
