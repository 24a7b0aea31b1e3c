/** What a vantage point says of a host, and whether it sees anybody at all. */
import type { HostRef } from '../../model/host.js';
import type { Clock } from '../clock.js';
import type { Implement, VantageActivities } from '../types.js';
import type { Reach } from './port.js';

/** So many others are asked: one that answers shows that the vantage point is not cut off. */
const controlsAtMost = 8;

export function createVantageActivities(options: {
  vantage: string;
  reach: Reach;
  clock: Clock;
}): Implement<VantageActivities> {
  const { vantage, reach, clock } = options;
  return {
    async testify({ host, others }) {
      const controls = others.filter(({ name }) => name !== host.name).slice(0, controlsAtMost);
      const [signals, answers] = await Promise.all([
        Promise.all([reach.hypervisor(host), reach.network(host)]),
        Promise.all(controls.map((other) => doesAnswer(reach, other))),
      ]);
      const answered = answers.filter(Boolean).length;
      return {
        vantage,
        at: new Date(clock.now()).toISOString(),
        signals,
        isolated: controls.length > 0 && answered === 0,
        controls: { asked: controls.length, answered },
      };
    },
  };
}

async function doesAnswer(reach: Reach, other: HostRef): Promise<boolean> {
  const { seen } = await reach.network(other);
  return seen === 'none' ? (await reach.hypervisor(other)).seen === 'answers' : seen === 'answers';
}
