import { expect, test } from 'vitest';
import type { Sighting } from '../../../activities/types.js';
import type { Instance, InstanceState, PowerState } from '../../../model/instance.js';
import { truth } from '../../../workflows/unwind.js';

const disks = [{ target: 'vda', path: '/d', format: 'qcow2' as const, readonly: false }];
const instance = (state: InstanceState, host: string | null = 'h1') => ({ state, host }) as Instance;

/** `h1 running, h2 absent` */
function sightings(text: string): Sighting[] {
  return text
    .split(', ')
    .filter(Boolean)
    .map((word) => {
      const [host = '', power = 'absent'] = word.split(' ');
      const here = !['absent', 'unknown'].includes(power);
      return {
        host,
        power: power as PowerState,
        persistent: here,
        disks: here ? disks : [],
        job: null,
        error: null,
      };
    });
}

const cases: [was: InstanceState, seen: string, is: Record<string, unknown>][] = [
  ['active', 'h1 running', { state: 'active', powerState: 'running', host: 'h1', fault: null }],
  ['active', 'h1 running, h2 absent', { state: 'active', host: 'h1' }],
  ['active', 'h1 absent, h2 running', { state: 'active', host: 'h2', disks }],
  ['active', 'h1 shutoff, h2 running', { state: 'active', host: 'h2' }],
  // One copy that runs is the truth even while the other host is silent: it can't start a second one by itself.
  ['active', 'h1 unknown, h2 running', { state: 'active', host: 'h2' }],
  ['active', 'h1 paused, h2 absent', { state: 'paused', powerState: 'paused', host: 'h1' }],
  ['paused', 'h1 running', { state: 'active' }],
  ['active', 'h1 shutoff, h2 absent', { state: 'stopped', powerState: 'shutoff', host: 'h1' }],
  ['active', 'h1 absent, h2 shutoff', { state: 'stopped', powerState: 'shutoff', host: 'h2' }],
  ['stopped', 'h1 shutoff, h2 shutoff', { state: 'stopped', host: 'h1' }],
  // Nothing is concluded from silence, whichever side is silent.
  ['active', 'h1 unknown', { powerState: 'unknown' }],
  ['active', 'h1 unknown, h2 absent', { powerState: 'unknown' }],
  ['active', 'h1 absent, h2 unknown', { powerState: 'unknown' }],
  ['active', 'h1 shutoff, h2 unknown', { powerState: 'unknown' }],
  [
    'active',
    'h1 absent, h2 absent',
    { state: 'error', powerState: 'absent', fault: 'no guest was found on h1, h2' },
  ],
  ['error', 'h1 running', { state: 'active', fault: null }],
];

test.each(cases)('%s, seen: %s', (was, seen, is) => {
  const { patch, left } = truth(instance(was), sightings(seen), 'error');
  expect(patch).toMatchObject(is);
  if (is['powerState'] === 'unknown') expect(patch).toEqual(is);
  expect(left).toEqual([]);
});

test('two copies are an error that names both, and nothing is chosen', () => {
  const { patch, left } = truth(instance('active'), sightings('h1 running, h2 paused'), 'error');
  expect(patch).toMatchObject({ state: 'error', powerState: 'running' });
  expect(patch).not.toHaveProperty('host');
  expect(left).toEqual([expect.stringMatching(/two copies.*h1 and h2/)]);
});

test('a half guest that runs nowhere is said, and is left to be settled', () => {
  const { patch, left } = truth(instance('active'), sightings('h1 absent, h2 migrating'), 'error');
  expect(patch).toMatchObject({ state: 'error', powerState: 'migrating' });
  expect(left).toEqual([expect.stringContaining('half on h2')]);
});

test('no guest anywhere is what a terminate wanted', () => {
  const { patch } = truth(instance('active'), sightings('h1 absent'), 'deleted');
  expect(patch).toEqual({ state: 'deleted', powerState: 'absent', host: null });
});

test('a launch whose host is silent is no building any more, and not deleted either', () => {
  const { patch } = truth(instance('building', null), sightings('h2 unknown'), 'error');
  expect(patch).toMatchObject({
    state: 'error',
    powerState: 'unknown',
    fault: expect.stringContaining('h2'),
  });
});

test('one that is on no host keeps the reason that it had', () => {
  expect(truth(instance('error', null), [], 'error')).toEqual({ patch: {}, left: [] });
  expect(truth(instance('building', null), [], 'error').patch).toMatchObject({ state: 'error' });
});
