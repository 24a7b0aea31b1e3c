import { systemClock, type Clock } from '../../../activities/clock.js';

/** So much faster goes the time of the simulated datacenter. */
const factor = 20;

/** The same in every process that is told when it began. */
export const quickClock = (begun: number): Clock => ({
  now: () => begun + (Date.now() - begun) * factor,
  sleep: (ms, signal) => systemClock.sleep(Math.ceil(ms / factor), signal),
});
