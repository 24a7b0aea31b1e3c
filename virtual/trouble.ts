import type { DroverError } from '../model/errors.js';

type Moment = 'before' | 'within' | 'after';

/**
 * What goes wrong, and at which call: `before` it, `within` it when it was admitted and did nothing yet, or
 * `after` it, when its answer has not been heard.
 */
export interface Trouble {
  /** The number of the call in its workflow (from 1), or what the log calls it (`removeDisk on h2`): then each time. */
  at: number | string;
  when?: Moment;
  /** `once` fails one attempt: a retryable error is then tried again, as Temporal does. */
  fail?: { error: DroverError; once?: boolean };
  /** It is done, and the answer of the first attempt never arrives. */
  lose?: boolean;
  cancel?: boolean;
  /** The workflow is terminated: it never hears of this call again. */
  terminate?: boolean;
  /** The worker process that does the work is killed; another one takes its place. */
  crash?: boolean;
  /** Anything else, while the first attempt runs: a second owner appears, a host goes away. */
  act?: () => void | Promise<void>;
}

export interface Knobs {
  troubles?: readonly Trouble[];
  /** Each activity runs twice: the answer of the first was lost. */
  twice?: boolean;
  /** For the operations that a run starts. */
  children?: Knobs;
}

export const noKnobs: Knobs = {};

export function troublesAt({ troubles = [] }: Knobs, number: number, call: string): readonly Trouble[] {
  return troubles.length === 0 ? troubles : troubles.filter(({ at }) => at === number || at === call);
}

export const atMoment = (troubles: readonly Trouble[], moment: Moment): readonly Trouble[] =>
  troubles.filter(({ when, lose }) => (lose ? 'after' : (when ?? 'before')) === moment);
