import { loseAndFence } from '../../unit/workflows/evacuation.js';
import type { Case } from '../case.js';
import { adopt } from '../place.js';
import type { NewGuest } from '../../../virtual/guests.js';

/** Of the place's own host, which is lost; others share the two that live. */
const evacuated = (
  title: string,
  { state, ends }: { state: NewGuest['state']; ends: 'active' | 'stopped' },
): Case => ({
  title,
  async setUp(place) {
    const on = place.hosts[2];
    const id = await adopt(place, { on, state });
    await loseAndFence(place, on.name);
    const host = place.hosts[0];
    const input = { instance: id, host: host.name };
    return { input, instance: { id, well: { state: ends, host }, else: state } };
  },
});

export const cases = [
  evacuated('of one that ran', { state: 'active', ends: 'active' }),
  evacuated('of one that was off', { state: 'stopped', ends: 'stopped' }),
  evacuated('of one whose memory was saved there', { state: 'suspended', ends: 'active' }),
];
