import { DroverError } from '../../model/errors.js';
import type { Call } from '../types.js';

/** Why a wait ends when its signal is aborted. Without a request it is the worker that stops: the next attempt goes on. */
export const stopWaiting = (call: Call, what: string): DroverError =>
  new DroverError(
    'Cancelled',
    call.cancelRequested() ? `cancelled while waiting for ${what}` : `stopped waiting for ${what}`,
  );
