import type { Case } from '../case.js';
import { adoptResized } from '../resized.js';

const reverted = (
  title: string,
  its: Parameters<typeof adoptResized>[1] & { disk?: 'keep' | 'old' },
): Case => ({
  title,
  async setUp(place) {
    const { instance: id } = await adoptResized(place, its);
    const { was, disk = 'keep' } = its;
    const [host] = place.hosts;
    return { input: { instance: id, disk }, instance: { id, well: { state: was, host }, else: 'resized' } };
  },
});

export const cases = [
  reverted('on shared storage', { was: 'active' }),
  reverted('with what was written since', { was: 'active', local: true }),
  reverted('to the old disk, of a stopped one', { was: 'stopped', local: true, disk: 'old' }),
  reverted('on the same host', { was: 'active', same: true }),
];
