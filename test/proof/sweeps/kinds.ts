/** The sweeps: what each does at a step, and how it is judged. */
import type { Case } from '../case.js';
import type { Verdict } from '../judge.js';
import type { Trial } from '../stage.js';
import { cancel } from './cancel.js';
import { lost } from './lost.js';
import { repeat } from './repeat.js';
import { reset } from './reset.js';
import { stale } from './stale.js';
import { terminate } from './terminate.js';
import { crash } from './crash.js';
import { unwind } from './unwind.js';

/** One trouble at one step of one case. Null where the case has no such step this time. */
export interface Variant {
  name: string;
  at(trial: Trial, step: number): Promise<Verdict | null>;
  /** Not of this operation, and why: it has no such step by its nature. */
  unless?: (operation: string, one: Case) => string | null;
}

export interface Sweep {
  name: string;
  says: string;
  variants: readonly Variant[];
}

export const sweeps: readonly Sweep[] = [unwind, repeat, lost, cancel, stale, terminate, reset, crash];
