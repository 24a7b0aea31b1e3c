/** A step that waits for people before it begins. They are shown what it will work on, and it works on that. */
import { DroverError } from '../model/errors.js';
import type { ApprovalRecord } from '../model/run.js';
import type { Approve, PlainStep } from '../model/runbook.js';
import { evaluate } from '../runbooks/language/expressions.js';
import { listTargets } from './run-list.js';
import { showRun } from './run-report.js';
import type { Target, Work } from './run-state.js';
import { seconds } from './run-values.js';

/** So many are shown; `targetCount` tells of the others. */
const shown = 100;

/** The targets of a step with for-each, as they were approved. Throws Rejected. */
export async function approval(
  work: Work,
  approve: Approve,
  parallel: readonly PlainStep[] | undefined,
): Promise<Target[] | null> {
  const { step, record, rt, run } = work;
  const targets = step['for-each'] === undefined ? null : await listTargets(work, new Set());
  // There is nothing that anybody could approve.
  if (targets?.length === 0) return targets;
  const told = targets?.map(({ label }) => label) ?? (parallel ? namesOf(parallel) : inputOf(work));
  const limit = seconds(approve.within, work.scope, `${step.id}: approve.within`);
  const asked = ask(work, approve, told, limit);
  record.approval = asked;
  record.state = 'waiting';
  showRun(run, rt);
  let decided: boolean;
  try {
    decided = await rt.until(() => asked.state !== 'waiting', limit * 1000);
  } catch (error) {
    // Nobody can approve it any more.
    asked.state = 'cancelled';
    if (!rt.cancelled()) throw error;
    throw new DroverError('Cancelled', `${step.id} was cancelled while it waited for approval`);
  }
  if (!decided) asked.state = 'expired';
  if (asked.state === 'rejected' || (asked.state === 'expired' && approve.otherwise === 'reject')) {
    throw rejected(step.id, asked);
  }
  return targets;
}

function ask({ scope, rt, step }: Work, approve: Approve, told: string[], limit: number): ApprovalRecord {
  return {
    state: 'waiting',
    needed: approve.count,
    from: approve.from ?? [],
    until: new Date(rt.now() + limit * 1000).toISOString(),
    message: String(evaluate(approve.message ?? step.name ?? '', scope)),
    targets: told.slice(0, shown),
    targetCount: told.length,
    approvals: [],
    rejection: null,
  };
}

const namesOf = (steps: readonly PlainStep[]): string[] =>
  steps.map(({ id, name, uses }) => `${id}: ${name ?? uses ?? ''}`);

function inputOf({ step, scope }: Work): string[] {
  const input = evaluate(step.with ?? {}, scope) as Record<string, unknown>;
  const lines = Object.entries(input).map(([name, value]) =>
    `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`.slice(0, 500),
  );
  return step.uses === undefined ? [] : lines.length === 0 ? [step.uses] : lines;
}

function rejected(step: string, { rejection, until, approvals, needed }: ApprovalRecord): DroverError {
  const why = rejection?.comment ? `: ${rejection.comment}` : '';
  const message = rejection
    ? `${step} was rejected by ${rejection.by}${why}`
    : `${step} was not approved until ${until} (${approvals.length} of ${needed} had approved)`;
  return new DroverError('Rejected', message, { details: { step, by: rejection?.by ?? null } });
}
