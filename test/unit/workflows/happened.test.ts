import { expect, test } from 'vitest';
import type { Sighting } from '../../../activities/types.js';
import type { Instance, InstanceState, PowerState } from '../../../model/instance.js';
import { isBroughtBack, whatHappened } from '../../../workflows/happened.js';

const told = (was: InstanceState, is: InstanceState, power: PowerState, reason = '') => {
  const before = { id: 'i1', name: 'web-1', state: was, host: 'h1' } as Instance;
  const seen: Sighting = { host: 'h1', power, reason, persistent: true, disks: [], job: null, error: null };
  return whatHappened(before, { state: is }, seen);
};

test.each([
  ['crashed', 'crashed', 'its process on h1 died'],
  ['failed', 'crashed', 'its process on h1 died'],
  ['shutdown', 'shut-down', 'it was shut down on h1, from inside or by hand'],
  ['destroyed', 'destroyed', 'somebody ended it on h1'],
  ['unknown', 'host-lost', 'h1 went down or was rebooted under it'],
  ['', 'host-lost', 'h1 went down or was rebooted under it'],
])('a running guest that is off for the reason "%s"', (reason, event, cause) => {
  expect(told('active', 'stopped', 'shutoff', reason)).toMatchObject({
    event,
    cause,
    todo: 'start it: drover instance start web-1',
  });
});

test('a paused guest loses its memory with its host', () => {
  expect(told('paused', 'stopped', 'shutoff', 'unknown')?.cause).toContain(
    'memory in which it was paused is lost',
  );
});

test.each([
  ['I/O error', 'io-error', 'mend the storage'],
  ['watchdog', 'watchdog', 'look at its log'],
  ['user', 'paused', 'let it go on'],
])('a guest that stands still for the reason "%s"', (reason, event, todo) => {
  expect(told('active', 'paused', 'paused', reason)).toMatchObject({
    event,
    todo: expect.stringContaining(todo),
  });
});

test('what somebody did by hand', () => {
  expect(told('stopped', 'active', 'running')?.event).toBe('started');
  expect(told('paused', 'active', 'running')?.event).toBe('unpaused');
  expect(told('active', 'suspended', 'shutoff', 'saved')?.todo).toContain('--discard-memory');
  expect(told('suspended', 'stopped', 'shutoff')?.cause).toBe('its saved memory is gone');
  expect(told('active', 'error', 'absent')?.event).toBe('gone');
});

test('nothing happened to what is as it was, or was never as it is', () => {
  expect(told('active', 'active', 'running')).toBeNull();
  expect(told('error', 'stopped', 'shutoff')).toBeNull();
  expect(told('building', 'error', 'absent')).toBeNull();
});

test('a policy brings back from the ends that it names', () => {
  const back = (['never', 'on-crash', 'always'] as const).map((policy) =>
    ['crashed', 'host-lost', 'shut-down', 'destroyed', 'io-error', 'gone'].filter((event) =>
      isBroughtBack(policy, event),
    ),
  );
  expect(back).toEqual([[], ['crashed', 'host-lost'], ['crashed', 'host-lost', 'shut-down', 'destroyed']]);
});
