/** Alerts start runbooks: each alert goes to the workflow of what is to be done about it, which starts one run. */
import { createHash } from 'node:crypto';
import { alertWorkflowId } from '../model/addresses.js';
import { DroverError, type ErrorCode } from '../model/errors.js';
import type { AlertTrigger } from '../model/triggers.js';
import { runQueue } from '../model/recovery-run.js';
import { inputsOf, triggerOf } from '../runbooks/language/triggers.js';
import { listRunbooks } from '../runbooks/language/load.js';
import type { AlertOrder, AlertWord } from '../workflows/alert.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import { runbookCatalogue } from './catalogue.js';
import { urlOf, type Caller } from './caller.js';
import { asDroverError } from './failures.js';
import { mayRun } from './permissions.js';
import { prepareRun, roleOf, type PreparedRun } from './runs.js';
import { startWorkflow } from './start.js';
import { recorded } from './trail.js';

/** One alert of a message of Alertmanager. Times are RFC 3339. */
export interface Alert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  fingerprint: string;
}

/** What came of one alert and one runbook; `runbook` null where none answers to the alert. */
export interface AlertAnswer {
  alert: string;
  fingerprint: string;
  runbook: string | null;
  /**
   * accepted: the workflow has it, and a run is started or joined. repeated: it was told a moment ago, and is on its way.
   * resolved: the workflow was told that it is over. late: it is over already, or nothing is done about it.
   */
  outcome: 'accepted' | 'repeated' | 'resolved' | 'late' | 'unmatched' | 'refused';
  says: string;
  workflowId: string | null;
  url: string | null;
  code?: ErrorCode;
}

/** What this process was told and has passed on: a storm of one alert costs Temporal a word a minute. */
export class AlertMemory {
  private readonly told = new Map<string, number>();

  /** Whether it was passed on within the last minute. */
  has(key: string): boolean {
    const at = this.told.get(key);
    return at !== undefined && Date.now() - at < freshMs;
  }
  /** Whether it was ever passed on, as far back as this goes. */
  knows(key: string): boolean {
    return this.told.has(key);
  }

  add(key: string): void {
    this.told.delete(key);
    this.told.set(key, Date.now());
    const [oldest] = this.told.keys();
    if (this.told.size > most && oldest !== undefined) this.told.delete(oldest);
  }
}

const freshMs = 60_000;
const most = 10_000;

/**
 * Answers once all of them are where no crash loses them. Throws TemporalUnreachable and InventoryUnavailable: then whoever
 * sent them must send them again.
 */
export async function takeAlerts(
  caller: Caller,
  alerts: readonly Alert[],
  { folders, memory }: { folders: readonly string[]; memory: AlertMemory },
): Promise<AlertAnswer[]> {
  const runbooks = (await listRunbooks(folders, runbookCatalogue())).flatMap(({ runbook }) =>
    runbook?.on?.alert === undefined ? [] : [runbook],
  );
  const answers: AlertAnswer[] = [];
  for (const alert of alerts) {
    const matching = runbooks.flatMap((runbook) => {
      const trigger = triggerOf(runbook, scopeOf(alert));
      return trigger === undefined ? [] : [{ runbook: runbook.name, trigger }];
    });
    if (matching.length === 0) answers.push(await unmatched(caller, alert, memory));
    for (const one of matching) answers.push(await take(caller, alert, one, { folders, memory }));
  }
  return answers;
}

interface Matching {
  runbook: string;
  trigger: AlertTrigger;
}

async function take(
  caller: Caller,
  alert: Alert,
  { runbook, trigger }: Matching,
  { folders, memory }: { folders: readonly string[]; memory: AlertMemory },
): Promise<AlertAnswer> {
  const key = `${runbook} ${alert.fingerprint} ${alert.startsAt}`;
  const answer = (rest: Pick<AlertAnswer, 'outcome' | 'says'> & Partial<AlertAnswer>): AlertAnswer => ({
    alert: labelOf(alert),
    fingerprint: alert.fingerprint,
    runbook,
    workflowId: null,
    url: null,
    ...rest,
  });
  const over = `${key} resolved`;
  if (alert.status === 'firing' && memory.has(over))
    return answer({ outcome: 'late', says: 'it was resolved a moment ago' });
  const same = alert.status === 'firing' ? key : over;
  if (memory.has(same))
    return answer({ outcome: 'repeated', says: 'it was passed on less than a minute ago' });
  const details = { ...detailsOf(alert), runbook };
  const work = async (more: (details: Record<string, unknown>) => void): Promise<AlertAnswer> => {
    const given = inputsOf(trigger, scopeOf(alert));
    const prepared = await prepareRun(caller, { runbook, folders, inputs: given });
    mayRun(caller, prepared.plan);
    more({ inputs: prepared.inputs });
    return answer(await pass(caller, alert, prepared));
  };
  try {
    const known = memory.knows(same);
    const told = known
      ? await work(() => undefined)
      : await recorded(caller, { action: 'alert.take', subject: labelOf(alert), details }, work);
    memory.add(same);
    return told;
  } catch (error) {
    if (!(error instanceof DroverError) || temporary.has(error.code)) throw error;
    memory.add(same);
    // It has it; that the trail has not is in the log.
    if (error.code === 'NotRecorded')
      return answer({ outcome: 'accepted', says: error.message, code: error.code });
    return answer({ outcome: 'refused', says: error.message, code: error.code });
  }
}

const temporary: ReadonlySet<ErrorCode> = new Set([
  'TemporalUnreachable',
  'InventoryUnavailable',
  'Internal',
]);

/** To the workflow of the runbook with these inputs: several gateways and several alerts meet there. */
async function pass(
  caller: Caller,
  alert: Alert,
  { plan, inputs }: PreparedRun,
): Promise<Pick<AlertAnswer, 'outcome' | 'says' | 'workflowId' | 'url'>> {
  const { cloud, identity } = caller;
  const label = labelOf(alert);
  const workflowId = alertWorkflowId(cloud, plan.name, hashOf(inputs));
  const { fingerprint, status } = alert;
  const startsAt = new Date(alert.startsAt).toISOString();
  const word: AlertWord = { fingerprint, status, startsAt, label, digest: plan.digest };
  const temporal = await caller.temporal();
  const where = { workflowId, url: urlOf(temporal, workflowId) };
  if (status === 'resolved') {
    const deadline = Date.now() + 10_000;
    const handle = temporal.client.workflow.getHandle(workflowId);
    try {
      await temporal.client.withDeadline(deadline, () => handle.signal('alert', word));
      return { outcome: 'resolved', says: 'what is done about it was told', ...where };
    } catch (cause) {
      const error = asDroverError(cause, `the alert ${label}`);
      if (error.code !== 'NotFound') throw error;
      return { outcome: 'late', says: 'nothing is done about it (any more)', workflowId: null, url: null };
    }
  }
  const order: AlertOrder = { by: identity.name, role: roleOf(identity), plan, inputs };
  await startWorkflow(caller, {
    type: 'alert',
    workflowId,
    argument: order,
    queue: runQueue(cloud, plan),
    summary: `${label}: ${plan.name}`,
    attributes: searchAttributesOf({ cloud, operation: null, subject: null, runbook: plan.name, host: null }),
    memo: { label, by: identity.name, digest: plan.digest, inputs },
    signal: { name: 'alert', word },
  });
  return { outcome: 'accepted', says: `${plan.name} runs, or is joined`, ...where };
}

async function unmatched(caller: Caller, alert: Alert, memory: AlertMemory): Promise<AlertAnswer> {
  const key = `unmatched ${alert.fingerprint} ${alert.startsAt}`;
  if (!memory.knows(key)) {
    const details = { ...detailsOf(alert), runbook: null };
    await recorded(caller, { action: 'alert.take', subject: labelOf(alert), details }, async () => undefined);
  }
  memory.add(key);
  const says = 'no runbook has an on.alert with its labels';
  const { fingerprint } = alert;
  const nowhere = { runbook: null, workflowId: null, url: null };
  return { alert: labelOf(alert), fingerprint, outcome: 'unmatched', says, ...nowhere };
}

const scopeOf = ({ labels, annotations, startsAt, fingerprint }: Alert) => ({
  labels,
  annotations,
  starts_at: startsAt,
  fingerprint,
});

const detailsOf = ({ status, fingerprint, startsAt }: Alert): Record<string, unknown> => ({
  status,
  fingerprint,
  startsAt,
});

/** `HostDown host1`. */
function labelOf({ labels }: Alert): string {
  const { alertname = 'an alert without alertname', host, instance } = labels;
  return [alertname, host ?? instance]
    .filter((word) => word !== undefined)
    .join(' ')
    .slice(0, 200);
}

/** The same for the same inputs in any order. */
function hashOf(inputs: Record<string, unknown>): string {
  const entries = Object.entries(inputs).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
}
