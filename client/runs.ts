/** Prepares, starts and finds runs of runbooks. */
import { randomUUID } from 'node:crypto';
import type { Inventory } from '../activities/inventory/database.js';
import { requireInputs } from '../activities/inventory/run-inputs.js';
import { getRun, listRuns } from '../activities/inventory/runs.js';
import type { RunRecord } from '../model/run.js';
import { DroverError } from '../model/errors.js';
import type { FrozenRunbook } from '../model/runbook.js';
import { runWorkflowId } from '../model/addresses.js';
import { runQueue } from '../model/recovery-run.js';
import { resolveInputs } from '../runbooks/language/inputs.js';
import { loadRunbook } from '../runbooks/language/load.js';
import type { RunOrder } from '../workflows/run-state.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import type { Caller } from './caller.js';
import { runbookCatalogue } from './catalogue.js';
import { mayRun } from './permissions.js';
import { isAlreadyStarted } from './failures.js';
import { startWorkflow } from './start.js';
import { recorded } from './trail.js';
import { uuidOf } from './uuid-of.js';

export interface RunbookAsk {
  /** Its name, or the path of a file. */
  runbook: string;
  /** Folders of the user's own runbooks. */
  folders: readonly string[];
  /** Texts of the command line, or values. */
  inputs: Record<string, unknown>;
}

/** What a run will carry: the checked and frozen runbook with resolved inputs. */
export interface PreparedRun {
  plan: FrozenRunbook;
  inputs: Record<string, unknown>;
}

export interface StartedRun extends PreparedRun {
  id: string;
  workflowId: string;
  /** Empty where an earlier request started it. */
  runId: string;
}

/** Throws NotFound, InvalidRunbook, InvalidInput; also for a host or an instance that isn't there. */
export async function prepareRun(caller: Caller, ask: RunbookAsk): Promise<PreparedRun> {
  const plan = await loadRunbook(ask.runbook, ask.folders, runbookCatalogue());
  const inputs = resolveInputs(plan.runbook, ask.inputs);
  await requireInputs(caller.inventory, plan.runbook, inputs);
  return { plan, inputs };
}

export interface StartOptions {
  /** Its operations also work on what is locked. Without it a run respects locks, whoever starts it. */
  force?: boolean;
  retry?: NonNullable<RunOrder['retry']>;
  /** A request that is repeated with the same id is the run of the first; default: a fresh one. */
  id?: string | undefined;
}

/** Throws PermissionDenied; WrongState for a run that somebody tries again at this moment. */
export async function startRun(
  caller: Caller,
  prepared: PreparedRun,
  options: StartOptions = {},
): Promise<StartedRun> {
  const { plan, inputs } = prepared;
  const { force = false, retry } = options;
  const details = { digest: plan.digest, inputs, force, ...(retry ? { retryOf: retry.of } : {}) };
  return recorded(caller, { action: 'run.start', subject: plan.name, details }, async (more) => {
    const started = await start(caller, prepared, options);
    more({ run: started.id });
    return started;
  });
}

async function start(
  caller: Caller,
  prepared: PreparedRun,
  { force = false, retry, id: given }: StartOptions,
): Promise<StartedRun> {
  mayRun(caller, prepared.plan);
  const { plan, inputs } = prepared;
  const { cloud, identity } = caller;
  if (force && identity.role !== 'admin') {
    throw new DroverError(
      'PermissionDenied',
      `only an administrator may use force; ${identity.name} is ${identity.role}`,
    );
  }
  const role = roleOf(identity, force);
  const id = retry ? retryId(retry.of) : (given ?? randomUUID());
  const workflowId = runWorkflowId(cloud, id);
  const [same] = given === undefined ? [] : await findRuns(caller.inventory, id);
  if (same) return { ...prepared, id, workflowId, runId: '' };
  const order: RunOrder = { id, by: identity.name, role, plan, inputs, ...(retry ? { retry } : {}) };
  const words = Object.entries(inputs).map(([name, value]) => `${name}=${String(value)}`);
  const runId = await startWorkflow(caller, {
    type: 'run-runbook',
    workflowId,
    argument: order,
    queue: runQueue(cloud, plan),
    summary: `${plan.name} ${words.join(' ')}`,
    attributes: searchAttributesOf({ cloud, operation: null, subject: null, runbook: plan.name, host: null }),
    memo: { label: plan.name, by: identity.name, digest: plan.digest, inputs },
  }).catch((error: unknown) => {
    if (given !== undefined && isAlreadyStarted(error)) return '';
    throw retry && isAlreadyStarted(error) ? triedAgain(retry.of, { id, state: 'running' }) : error;
  });
  return { ...prepared, id, workflowId, runId };
}

/** A run respects locks whoever starts it, unless an administrator says force. */
export const roleOf = ({ role }: Caller['identity'], force = false): Caller['identity']['role'] =>
  role === 'admin' && !force ? 'operator' : role;

/** Always the same for a run, so that Temporal lets only one of two who try it again at the same moment. */
const retryId = (run: string): string => uuidOf(`retry of ${run}`);

export function triedAgain(run: string, { id, state }: Pick<RunRecord, 'id' | 'state'>): DroverError {
  const open = state === 'running' || state === 'succeeded';
  const hint = {
    running: `follow it with \`drover run watch ${id}\``,
    succeeded: 'nothing is left to do',
  };
  return new DroverError('WrongState', `run ${run} is tried again already, by run ${id} (${state})`, {
    details: { run, retriedBy: id, state },
    hint: open ? hint[state] : `try that one again: \`drover run retry ${id}\``,
  });
}

/** A run by its id or the beginning of it (at least 4 characters), as shown in lists. */
export async function findRun(caller: Caller, idOrPrefix: string): Promise<RunRecord | undefined> {
  const found = await findRuns(caller.inventory, idOrPrefix);
  if (found.length <= 1) return found[0];
  const candidates = found.map(({ id, runbook, startedAt }) => ({ id, runbook, startedAt }));
  const lines = candidates.map((one) => `  ${one.id} (${one.runbook}, ${one.startedAt})`);
  throw new DroverError(
    'Ambiguous',
    `${found.length} runs begin with "${idOrPrefix}":\n${lines.join('\n')}`,
    {
      details: { candidates },
    },
  );
}

async function findRuns(inventory: Inventory, idOrPrefix: string): Promise<RunRecord[]> {
  try {
    return [await getRun(inventory, idOrPrefix)];
  } catch (error) {
    if (!(error instanceof DroverError && error.code === 'NotFound')) throw error;
    if (idOrPrefix.length < 4 || idOrPrefix.length >= 36) return [];
    return (await listRuns(inventory, { limit: 1000 })).filter((run) => run.id.startsWith(idOrPrefix));
  }
}

export const noRun = (id: string): DroverError =>
  new DroverError('NotFound', `no run has the id "${id}"`, {
    details: { run: id },
    hint: `list the runs with \`drover run list\`${id.length < 4 ? '; name at least 4 characters of the id' : ''}`,
  });
