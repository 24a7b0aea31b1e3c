import type { Case, Place } from '../case.js';
import { adopt } from '../place.js';
import { flavorOf } from '../resized.js';

const resized = (
  title: string,
  its: {
    local?: boolean;
    stopped?: boolean;
    to?: 0 | 1;
    diskGiB?: number;
    more?: Record<string, unknown>;
  },
): Case => ({
  title,
  async setUp(place: Place) {
    const { local = false, stopped = false, to = 0, diskGiB = 0, more = {} } = its;
    const state = stopped ? 'stopped' : 'active';
    const id = await adopt(place, { local, state });
    const flavor = await flavorOf(place, { vcpus: 2, memoryMiB: 256, diskGiB });
    const host = place.hosts[to];
    const input = { instance: id, flavor, host: host.name, confirm_after: 'never', ...more };
    return { input, instance: { id, well: { state: 'resized', host }, else: state } };
  },
});

export const cases = [
  resized('on the same host', {}),
  resized('of a stopped one, with its disk', { stopped: true, diskGiB: 2 }),
  resized('to another host, copying its disk, which grows', { to: 1, local: true, diskGiB: 2 }),
];
