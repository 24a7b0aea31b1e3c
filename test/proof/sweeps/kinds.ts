/** The sweeps: what each does at a step, and how it is judged. */
import type { Verdict } from '../judge.js';
import type { VirtualTrial } from '../stage.js';
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
  at(trial: VirtualTrial, step: number): Promise<Verdict | null>;
  /** It meets all steps of the case at once: tried at the first only. */
  whole?: true;
}

export interface Sweep {
  name: string;
  says: string;
  variants: readonly Variant[];
}

export const sweeps: readonly Sweep[] = [unwind, repeat, lost, cancel, stale, terminate, reset, crash];
