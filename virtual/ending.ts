import type { DroverError } from '../model/errors.js';

/** How a workflow ended; one that was cancelled failed with `Cancelled`. */
export type Ending =
  { end: 'done'; result: unknown } | { end: 'failed'; error: DroverError } | { end: 'terminated' };

/** As the log says it. */
export const toldOf = (ending: Ending): string =>
  ending.end === 'failed' ? `failed: ${ending.error.code}: ${ending.error.message}` : ending.end;

/** What a workflow does when it is asked by a signal or an update; `validate` refuses by throwing. */
export interface Handler {
  validate?: (ask: unknown) => void;
  handle: (ask: unknown) => unknown;
}
