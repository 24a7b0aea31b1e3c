import type { Case } from '../case.js';
import { adoptResized } from '../resized.js';

const confirmed = (
  title: string,
  its: Parameters<typeof adoptResized>[1] & { ofAnother?: boolean },
): Case => ({
  title,
  async setUp(place) {
    const { instance: id, operation } = await adoptResized(place, its);
    const { was, same = false, ofAnother = false } = its;
    const host = place.hosts[same ? 0 : 1];
    const state = ofAnother ? 'resized' : was;
    const of = ofAnother ? place.uuid() : operation;
    return { input: { instance: id, of }, instance: { id, well: { state, host }, else: 'resized' } };
  },
});

export const cases = [
  confirmed('with a disk to remove', { was: 'active', local: true }),
  confirmed('of a stopped one on the same host', { was: 'stopped', same: true }),
  confirmed('of a resize before', { was: 'active', ofAnother: true }),
];
