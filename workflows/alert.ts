/**
 * What is done about the alerts of one thing (a runbook with the same inputs): one run at a time, however many alerts say
 * so and however often. It lives as long as one of them fires, since only then a repeat is known for what it is.
 */
import { DroverError } from '../model/errors.js';
import type { FrozenRunbook } from '../model/runbook.js';
import type { Request } from '../model/operation.js';
import type { RunOrder } from './run-state.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

/** What it is started with; a repeat of the alert brings the same, or a changed runbook. */
export interface AlertOrder {
  by: string;
  role: Request['role'];
  plan: FrozenRunbook;
  inputs: Record<string, unknown>;
  /** What is known when it goes on with a new history. */
  state?: AlertState;
}

/** One alert, as Alertmanager told it now. Times are RFC 3339. */
export interface AlertWord {
  fingerprint: string;
  status: 'firing' | 'resolved';
  startsAt: string;
  /** For whoever reads: `HostDown host1`. */
  label: string;
  /** Of the runbook that its gateway would start now. */
  digest: string;
}

/** How its newest run ended. */
type Handled = 'succeeded' | 'failed' | 'ended by a person';

export interface AlertState {
  alerts: Record<string, Heard>;
  /** Null while no run has ended. */
  handled: Handled | null;
  /** Why the newest run failed. */
  why: string | null;
  /** Milliseconds since the epoch: when the newest run ended. */
  endedAt: number;
  /** Runs that failed, one after the other. */
  failures: number;
  run: string | null;
}

interface Heard {
  status: AlertWord['status'];
  startsAt: string;
  label: string;
  digest: string;
  /** Milliseconds since the epoch: when this firing was first told, and when it was told last. */
  firstAt: number;
  lastAt: number;
}

/** Either what came of it, or that it goes on with a new history. */
export type AlertEnd = { note: string } | { goOn: AlertOrder };

/** A firing that comes so soon after its own end was overtaken by it on the way. */
const lateMs = 60_000;
const firstPauseMs = 60_000;
const mostPauseMs = 30 * 60_000;
/** Alertmanager repeats what fires: who was not heard of for so long fires no more. */
const silentMs = 26 * 3_600_000;
/** Words that one history holds while nothing runs. */
const wordsPerHistory = 2000;

export class Alert {
  readonly state: AlertState;
  words = 0;

  constructor(
    readonly order: AlertOrder,
    private readonly now: () => number,
  ) {
    const fresh = { alerts: {}, handled: null, why: null, endedAt: 0, failures: 0, run: null };
    this.state = order.state ?? fresh;
  }

  /** What overtook another word on the way, or says the same again, changes nothing but when it was told last. */
  hear({ fingerprint, status, startsAt, label, digest }: AlertWord): void {
    const now = this.now();
    this.words += 1;
    const before = this.state.alerts[fingerprint];
    const told = { status, startsAt, label, digest, lastAt: now };
    if (before === undefined || startsAt > before.startsAt) {
      this.state.alerts[fingerprint] = { ...told, firstAt: now };
      return;
    }
    if (startsAt < before.startsAt) return;
    if (before.status === 'resolved' && status === 'firing') {
      if (now - before.lastAt > lateMs) this.state.alerts[fingerprint] = { ...told, firstAt: now };
      return;
    }
    Object.assign(before, told);
  }

  get firing(): Heard[] {
    const now = this.now();
    return Object.values(this.state.alerts).filter(
      ({ status, lastAt }) => status === 'firing' && now - lastAt < silentMs,
    );
  }

  /** A run is wanted: for what fires anew since the last ended well, and for what still fires after it failed. */
  get due(): boolean {
    const { handled, endedAt } = this.state;
    if (handled === null) return this.firing.length > 0;
    if (this.firing.some(({ firstAt }) => firstAt > endedAt)) return true;
    if (handled !== 'failed') return false;
    const after = endedAt + this.pauseMs;
    return this.now() >= after && this.firing.some(({ lastAt }) => lastAt >= after);
  }

  /** A repeat that comes before is not heard as one. */
  private get pauseMs(): number {
    return Math.min(firstPauseMs * 2 ** (this.state.failures - 1), mostPauseMs);
  }

  /** The runbook was changed since: the next repeat begins with the new one. */
  get changed(): boolean {
    return this.firing.some(({ digest }) => digest !== this.order.plan.digest);
  }
}

export async function runAlert(alert: Alert, rt: Runtime): Promise<AlertEnd> {
  const { state } = alert;
  // The word that it is started with may be heard a moment later.
  if (alert.order.state === undefined) await rt.until(() => alert.words > 0, firstPauseMs);
  for (;;) {
    if (alert.due) {
      if (state.failures > 0 && alert.changed)
        return { note: 'the runbook was changed: the next repeat of the alert begins with the new one' };
      await oneRun(alert, rt);
      continue;
    }
    show(alert, rt);
    if (alert.firing.length === 0) return { note: noteOf(alert) };
    if (alert.words >= wordsPerHistory) return { goOn: { ...alert.order, state } };
    // Also to find that nothing was heard for long.
    await rt.until(() => alert.due || alert.firing.length === 0 || alert.words >= wordsPerHistory, silentMs);
  }
}

async function oneRun(alert: Alert, rt: Runtime): Promise<void> {
  const { state, order } = alert;
  const { by, role, plan, inputs } = order;
  const id = rt.id();
  const labels = [...new Set(alert.firing.map(({ label }) => label))];
  const run: RunOrder = { id, by, role, plan, inputs };
  state.run = id;
  rt.show('running', `${told(labels)}: run ${id} of ${plan.name}`);
  let ended = false;
  const workflowId = rt.runWorkflowId(id);
  const telling = tellWhenResolved(alert, workflowId, () => ended, rt);
  // A cancel ends both; the run says so.
  telling.catch(() => undefined);
  try {
    await rt.childRun({
      type: 'run-runbook',
      workflowId,
      label: `${plan.name} ${told(labels)}`,
      runbook: plan.name,
      by,
      argument: { ...run },
    });
    Object.assign(state, { handled: 'succeeded', why: null, failures: 0 });
  } catch (cause) {
    const error = asDroverError(cause);
    if (error.code === 'Cancelled' && rt.cancelled()) throw error;
    // Who ended it knows of the alert: it is not begun again behind their back.
    const byPerson = codesOf(error).some((code) => code === 'Cancelled' || code === 'Rejected');
    const failures = byPerson ? 0 : state.failures + 1;
    const handled: Handled = byPerson ? 'ended by a person' : 'failed';
    Object.assign(state, { handled, why: error.message, failures });
  }
  ended = true;
  state.endedAt = rt.now();
  await telling;
}

/** Its own, and those of what failed in the run. */
function codesOf({ code, details }: DroverError): unknown[] {
  const items = Array.isArray(details['items']) ? (details['items'] as { error?: { code?: unknown } }[]) : [];
  return [code, ...items.map(({ error }) => error?.code)];
}

/** Once: what a recovery makes of it is its own matter. */
async function tellWhenResolved(
  alert: Alert,
  workflowId: string,
  ended: () => boolean,
  rt: Runtime,
): Promise<void> {
  await rt.until(() => ended() || alert.firing.length === 0, null);
  if (ended()) return;
  const labels = Object.values(alert.state.alerts).map(({ label }) => label);
  await rt.tell(workflowId, { resolved: `the alert was resolved: ${told([...new Set(labels)])}` });
}

function show(alert: Alert, rt: Runtime): void {
  const { handled, why, run } = alert.state;
  const fires = told([...new Set(alert.firing.map(({ label }) => label))]);
  if (alert.firing.length === 0) rt.show('ended', noteOf(alert));
  else if (handled === 'failed')
    rt.show(
      'waiting',
      `${fires} still fires. Run ${run} failed: ${why}. A repeat of the alert starts another`,
    );
  else
    rt.show(
      'waiting',
      `${fires} still fires. Run ${run} ${handled}; nothing more is done until it fires anew`,
    );
}

function noteOf({ state: { handled, run, why } }: Alert): string {
  if (run === null) return 'nothing fires, and nothing was started';
  return `nothing fires any more; run ${run} ${handled}${why === null ? '' : `: ${why}`}`;
}

const told = (labels: readonly string[]): string => labels.slice(0, 5).join(', ');

/** What somebody starts by hand must not fail the workflow task for ever. */
export function alertOrder(argument: unknown): AlertOrder {
  const { plan, inputs, by } = (argument ?? {}) as Partial<AlertOrder>;
  if (typeof by === 'string' && typeof inputs === 'object' && Array.isArray(plan?.runbook?.steps))
    return argument as AlertOrder;
  throw new DroverError('InvalidInput', 'it is started by the gateway, for an alert');
}
