/** Sentences about a run: who may approve what, until when, who did what. */
import type { ApprovalRecord, RunActionRecord } from '../model/run.js';
import { counted, secondsText } from './texts.js';

/** `every operator and administrator`; `bob, every admin`. */
export function whoMay({ from }: Pick<ApprovalRecord, 'from'>): string {
  if (from.length === 0) return 'every operator and administrator';
  return from.map((name) => name.replace(/^role:/, 'every ')).join(', ');
}

/** `1 of 2 given (bob)`; `1 is needed`. */
export function votes({ needed, approvals }: Pick<ApprovalRecord, 'needed' | 'approvals'>): string {
  if (approvals.length === 0) return `${needed} ${needed === 1 ? 'is' : 'are'} needed, none given`;
  return `${approvals.length} of ${needed} given (${approvals.map(({ by }) => by).join(', ')})`;
}

/** In the time zone of whoever reads it: `Mon 23 Nov, 14:05 (in 23h59m)`. */
export function untilWords(until: string, now = Date.now()): string {
  const time = new Date(until);
  const seconds = (time.getTime() - now) / 1000;
  const day = time.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
  const hour = time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return `${day}, ${hour} (${seconds > 0 ? `in ${secondsText(seconds)}` : 'over'})`;
}

/** The first 20, and how many more. */
export function targetsText({ targets, targetCount }: ApprovalRecord): string {
  if (targetCount === 0) return 'nothing';
  const shown = targets.slice(0, targetLimit);
  const more = targetCount - shown.length;
  return `${counted(targetCount, 'target')}: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const targetLimit = 20;

const did: Record<RunActionRecord['action'], string> = {
  start: 'started it',
  approve: 'approved',
  reject: 'rejected',
  pause: 'paused it',
  resume: 'resumed it',
  cancel: 'cancelled it',
  retry: 'had it tried again',
};

/** `bob approved step gate: "looks good"`. */
export function actionText({ run, by, action, step, comment, details }: RunActionRecord, of: string): string {
  const where = step === null ? '' : ` step ${step}`;
  const how = action === 'cancel' && details['undo'] === false ? ', without taking anything back' : '';
  const as = action === 'retry' && typeof details['run'] === 'string' ? ` as run ${details['run']}` : '';
  const part = run === of ? '' : ` of run ${run}`;
  return `${by} ${did[action]}${where}${part}${how}${as}${comment === null ? '' : `: "${comment}"`}`;
}
