import type { Call } from '../activities/types.js';
import type { Owner } from '../model/operation.js';

/** What an activity is given that nobody cancels and nobody listens to. */
export const callOf = (owner: Owner | null, signal = new AbortController().signal): Call => ({
  owner,
  host: null,
  signal,
  cancelRequested: () => false,
  heartbeat: () => undefined,
});
