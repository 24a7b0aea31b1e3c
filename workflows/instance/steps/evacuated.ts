import type { Instance } from '../../../model/instance.js';
import type { InstancePatch } from '../../../model/operation.js';

/** How an instance ends that is brought back from a lost host. */
export interface Evacuated {
  starts: boolean;
  patch: InstancePatch & { state: 'active' | 'stopped' };
  /** What the operator must know. */
  told: string;
}

const memoryLost = 'what it had in memory is lost';

/** Pure. Its disk is what is left of it: what was in memory, or saved on the host itself, is gone. */
export function evacuated({ state, powerState, resized }: Instance, lost: string): Evacuated {
  // There is no way back from the new host: nobody can copy from the lost one, and its size stays what it was made.
  const gives = resized === null ? {} : { resized: null };
  const active = (told: string): Evacuated => ({
    starts: true,
    patch: {
      state: 'active',
      powerState: 'running',
      fault: null,
      cause: `${lost} was lost under it`,
      ...gives,
    },
    told,
  });
  const stopped = (told: string): Evacuated => ({
    starts: false,
    patch: { state: 'stopped', powerState: 'shutoff', fault: null, cause: null, ...gives },
    told,
  });
  switch (state) {
    case 'paused':
      return active(`it was paused; ${memoryLost}, and it has booted from its disk`);
    case 'suspended':
      return active(`its memory was saved on ${lost} itself, and is lost; it has booted from its disk`);
    case 'stopped':
      return stopped('it was off, and still is');
    case 'rescued':
      return stopped('its rescue is ended; its own disk is as it was');
    case 'resized':
      return resized?.was === 'stopped'
        ? stopped('its resize is confirmed, since there is no way back: it is off, as before')
        : active(`its resize is confirmed, since there is no way back; ${memoryLost}, and it has booted`);
    case 'error':
      return ['shutoff', 'crashed', 'absent'].includes(powerState)
        ? stopped('it was in error and off; it is off, with its disk whole')
        : active(`it was in error; ${memoryLost}, and it has booted from its disk`);
    case 'active':
    case 'building':
    case 'shelved':
    case 'shelved-offloaded':
    case 'deleted':
      return active(`${memoryLost}, and it has booted from its disk`);
    default:
      return state satisfies never;
  }
}
