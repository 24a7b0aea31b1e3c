/** Starts, lists and cancels runs of runbooks. */
import { randomUUID } from 'node:crypto';
import { getHost } from '../activities/inventory/hosts.js';
import { getInstance } from '../activities/inventory/instances.js';
import { getFlavor } from '../activities/inventory/flavors.js';
import { getRun, listRuns } from '../activities/inventory/runs.js';
import type { RunRecord } from '../model/run.js';
import { DroverError } from '../model/errors.js';
import type { FrozenRunbook } from '../model/runbook.js';
import { runWorkflowId } from '../model/addresses.js';
import { resolveInputs } from '../runbooks/language/inputs.js';
import { loadRunbook } from '../runbooks/language/load.js';
import type { RunOrder } from '../workflows/run-state.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import type { Caller } from './caller.js';
import { runbookCatalogue } from './catalogue.js';
import { asDroverError } from './failures.js';
import { mayOperate } from './ask.js';
import { startWorkflow } from './start.js';

export interface RunAsk {
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
  runId: string;
}

/** Throws NotFound, InvalidRunbook, InvalidInput; also for a host or an instance that isn't there. */
export async function prepareRun(caller: Caller, ask: RunAsk): Promise<PreparedRun> {
  const plan = await loadRunbook(ask.runbook, ask.folders, runbookCatalogue());
  const inputs = resolveInputs(plan.runbook, ask.inputs);
  for (const [name, { type }] of Object.entries(plan.runbook.inputs)) {
    const value = inputs[name];
    if (typeof value !== 'string') continue;
    if (type === 'host') await getHost(caller.inventory, value);
    if (type === 'instance') await getInstance(caller.inventory, value);
    if (type === 'flavor') await getFlavor(caller.inventory, value);
  }
  return { plan, inputs };
}

/**
 * `force`: its operations also work on what is locked. Without it a run respects locks, whoever starts it.
 * Throws PermissionDenied.
 */
export async function startRun(
  caller: Caller,
  prepared: PreparedRun,
  { force = false }: { force?: boolean } = {},
): Promise<StartedRun> {
  mayOperate(caller);
  const { plan, inputs } = prepared;
  const { cloud, identity } = caller;
  if (force && identity.role !== 'admin') {
    throw new DroverError(
      'PermissionDenied',
      `only an administrator may use force; ${identity.name} is ${identity.role}`,
    );
  }
  const role = identity.role === 'admin' && !force ? 'operator' : identity.role;
  const id = randomUUID();
  const workflowId = runWorkflowId(cloud, id);
  const order: RunOrder = { id, by: identity.name, role, plan, inputs };
  const given = Object.entries(inputs).map(([name, value]) => `${name}=${String(value)}`);
  const runId = await startWorkflow(caller, {
    type: 'run-runbook',
    workflowId,
    argument: order,
    summary: `${plan.name} ${given.join(' ')}`,
    attributes: searchAttributesOf({ cloud, operation: null, subject: null, runbook: plan.name, host: null }),
    memo: { label: plan.name, by: identity.name, digest: plan.digest, inputs },
  });
  return { ...prepared, id, workflowId, runId };
}

/** A run by its id or the beginning of it (at least 4 characters), as shown in lists. */
export async function findRun(caller: Caller, idOrPrefix: string): Promise<RunRecord | undefined> {
  try {
    return await getRun(caller.inventory, idOrPrefix);
  } catch (error) {
    if (!(error instanceof DroverError && error.code === 'NotFound')) throw error;
    if (idOrPrefix.length < 4 || idOrPrefix.length >= 36) return undefined;
    const found = (await listRuns(caller.inventory, { limit: 1000 })).filter((run) =>
      run.id.startsWith(idOrPrefix),
    );
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
}

export const noRun = (id: string): DroverError =>
  new DroverError('NotFound', `no run has the id "${id}"`, {
    details: { run: id },
    hint: 'list the runs with `drover run list`',
  });

/** Asks a run to stop: it cancels what it has running, takes back what its runbook says, and ends as cancelled. */
export async function cancelRun(caller: Caller, id: string): Promise<void> {
  mayOperate(caller);
  const { client } = await caller.temporal();
  try {
    await client.workflow.getHandle(runWorkflowId(caller.cloud, id)).cancel();
  } catch (error) {
    const told = asDroverError(error, `run ${id}`);
    if (told.code !== 'NotFound') throw told;
    throw new DroverError('WrongState', `run ${id} does not run any more: there is nothing to cancel`, {
      hint: `see \`drover run show ${id}\``,
    });
  }
}
