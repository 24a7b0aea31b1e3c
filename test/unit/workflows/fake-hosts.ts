/** What the worker of a fake host does with the host itself. */
import type { HostActivities, HostWaitActivities, Implement } from '../../../activities/types.js';
import { DroverError } from '../../../model/errors.js';
import type { FakeWorld } from './fake-world.js';

const bootOf = (world: FakeWorld, host: string) => `${host}-boot-${world.hostBoots.get(host) ?? 1}`;

export function fakeHosts(world: FakeWorld, host: string): Implement<HostActivities> {
  return {
    bootId: async () => ({ boot: bootOf(world, host) }),
    rebootHost: async ({ boot }) => {
      if (bootOf(world, host) !== boot) return { boot: bootOf(world, host) };
      world.hostBoots.set(host, (world.hostBoots.get(host) ?? 1) + 1);
      for (const guest of world.host(host).guests.values()) guest.power = 'shutoff';
      throw new DroverError('Internal', 'the worker went down with its host');
    },
  };
}

export const fakeHostWait = (world: FakeWorld): Implement<HostWaitActivities> => ({
  waitForHost: async ({ host, seconds }) => {
    if (world.host(host.name).answers) return;
    throw new DroverError('TimedOut', `${host.name} was silent for ${seconds} s`);
  },
});
