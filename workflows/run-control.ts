/**
 * What people ask of a run that runs. `validateAsk` refuses what can't be, so that nothing is accepted and then
 * ignored; `acceptAsk` does it, and writes down who asked.
 */
import { DroverError } from '../model/errors.js';
import type { Request } from '../model/operation.js';
import type {
  ApprovalRecord,
  CancelAsk,
  DecisionAsk,
  RunAnswerToAsk,
  RunAsk,
  RunStepRecord,
} from '../model/run.js';
import { tellChildren } from './run-child.js';
import { pauseRun, resumeRun } from './run-pause.js';
import { showRun } from './run-report.js';
import type { Run } from './run-state.js';
import type { Runtime, Word } from './runtime.js';

/** The asks by the name of their action, which is the name of the Temporal update. */
export interface Asks {
  approve: DecisionAsk;
  reject: DecisionAsk;
  pause: RunAsk;
  resume: RunAsk;
  cancel: CancelAsk;
}
export type Ask = { [A in keyof Asks]: { action: A } & Asks[A] }[keyof Asks];
export const askNames = ['approve', 'reject', 'pause', 'resume', 'cancel'] as const;

/** Throws PermissionDenied, WrongState, InvalidInput. Changes nothing. */
export function validateAsk(run: Run, ask: Ask): void {
  if (ask.role === 'viewer') throw denied(ask, `${ask.by} has the role viewer, which may only look`);
  switch (ask.action) {
    case 'approve':
    case 'reject':
      return validateDecision(run, ask);
    case 'pause':
      refuseAtEnd(run, 'pause');
      if (run.paused) {
        const { by, at, reason } = run.paused;
        throw refused(`the run is paused already, by ${by} since ${at}${reason ? ` (${reason})` : ''}`);
      }
      return;
    case 'resume':
      if (run.paused === null) throw refused('the run is not paused');
      return;
    case 'cancel':
      refuseAtEnd(run, 'cancel');
  }
}

function refuseAtEnd(run: Run, what: string): void {
  if (run.cancel) throw refused(`the run is being cancelled already, by ${run.cancel.by}`);
  if (run.closing) throw refused(`the run is ending: there is nothing left to ${what}`);
}

function validateDecision(run: Run, ask: Extract<Ask, DecisionAsk>): void {
  const { approval, id } = waitingStep(run, ask);
  if (ask.role === 'automation') {
    throw denied(ask, `${ask.by} is an automation: approving is for people`);
  }
  const { from, approvals } = approval;
  const among = from.length === 0 || from.includes(ask.by) || from.includes(`role:${ask.role}`);
  if (!among)
    throw denied(ask, `step ${id} waits for ${from.join(' or ')}; ${ask.by} (${ask.role}) is not among them`);
  const before = approvals.find(({ by }) => by === ask.by);
  if (before && ask.action === 'approve') {
    throw refused(`${ask.by} approved step ${id} already, at ${before.at}; it waits for somebody else`);
  }
}

/** The step that is meant: of several that wait it has to be named. */
function waitingStep(run: Run, { step, action }: DecisionAsk & { action: string }): Waiting {
  const waiting = run.steps.flatMap((record): Waiting[] =>
    record.state === 'waiting' && record.approval?.state === 'waiting'
      ? [{ ...record, approval: record.approval }]
      : [],
  );
  const [first, second] = waiting;
  const names = waiting.map(({ id }) => id).join(', ');
  if (first === undefined) {
    const now = run.steps.filter(({ state }) => state === 'running').map(({ id }) => id);
    const runs = now.length > 0 ? `; ${now.join(', ')} runs` : '';
    throw refused(`no step of the run waits for approval${runs}`);
  }
  if (step === null) {
    if (second === undefined) return first;
    throw new DroverError('InvalidInput', `several steps wait: ${names}`, {
      hint: `name the one to ${action} with --step`,
    });
  }
  const meant = waiting.find(({ id }) => id === step);
  if (meant) return meant;
  throw refused(`step ${step} does not wait for approval; what waits is ${names}`);
}

type Waiting = RunStepRecord & { approval: ApprovalRecord };

/** Does what was validated: at once, before anything else can be asked. Then it is written down. */
export async function acceptAsk(run: Run, ask: Ask, rt: Runtime): Promise<RunAnswerToAsk> {
  const { action, by, comment } = ask;
  const step = action === 'approve' || action === 'reject' ? waitingStep(run, ask).id : null;
  const said = apply(run, ask, rt.now());
  if (action !== 'cancel') showRun(run, rt);
  await rt.shielded(async () => {
    if (action === 'pause' || action === 'resume')
      await tellChildren(run.children, rt, { pause: action === 'pause' });
    if (action === 'cancel') {
      // Before they are cancelled, or they would begin to take back.
      if (!ask.undo) await tellChildren(run.children, rt, { undo: false });
      run.stop();
    }
    const details = action === 'cancel' ? { undo: ask.undo } : {};
    await rt.activity('recordRunAction', {
      id: rt.id(),
      run: run.order.id,
      by,
      action,
      step,
      comment,
      details,
    });
  });
  return { said };
}

function apply(run: Run, ask: Ask, now: number): string {
  const { by, comment } = ask;
  const at = new Date(now).toISOString();
  switch (ask.action) {
    case 'approve': {
      const { id, approval } = waitingStep(run, ask);
      approval.approvals.push({ by, at, comment });
      const missing = approval.needed - approval.approvals.length;
      if (missing > 0) return `approved step ${id}; ${missing} more must approve until ${approval.until}`;
      approval.state = 'approved';
      return `approved step ${id}: it goes on`;
    }
    case 'reject': {
      const { id, approval } = waitingStep(run, ask);
      approval.rejection = { by, at, comment };
      approval.state = 'rejected';
      return `rejected step ${id}`;
    }
    case 'pause': {
      pauseRun(run, by, comment, now);
      const running = run.steps.filter(({ state }) => state === 'running').map(({ id }) => id);
      return `paused: nothing new starts${running.length > 0 ? `; what ${running.join(', ')} has running ends` : ''}`;
    }
    case 'resume':
      resumeRun(run, now);
      return 'goes on';
    case 'cancel':
      run.cancel = { by, undo: ask.undo };
  }
  return ask.undo ? 'it stops and takes back what its runbook says' : 'it stops and takes nothing back';
}

/** What the run of which it is a part says. */
export async function hear(run: Run, word: Word, rt: Runtime): Promise<void> {
  if ('resolved' in word) {
    const told = { ...word, run: run.order.id };
    return rt.shielded(() => tellChildren(new Set([...run.children, ...run.recoveries]), rt, told));
  }
  const parent = `run ${run.order.parent?.run ?? run.order.id}`;
  if ('undo' in word) run.cancel ??= { by: parent, undo: false };
  else if (word.pause && !run.paused) pauseRun(run, parent, null, rt.now());
  else if (!word.pause && run.paused) resumeRun(run, rt.now());
  showRun(run, rt);
  await rt.shielded(() => tellChildren(run.children, rt, word));
}

const refused = (message: string): DroverError =>
  new DroverError('WrongState', message, { hint: 'see where it stands with `drover run show`' });

const denied = ({ by, role }: { by: string; role: Request['role'] }, message: string): DroverError =>
  new DroverError('PermissionDenied', message, { details: { by, role } });
