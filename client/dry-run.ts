/** What an operation would do now: the checks of its beginning and its placement, without a side effect. */
import { read } from '../activities/inventory/database.js';
import { listHosts } from '../activities/inventory/hosts.js';
import { noHost, place } from '../activities/inventory/placement.js';
import { refusalOf } from '../activities/inventory/refusals.js';
import { listInstances } from '../activities/inventory/instances.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { Rejection } from '../model/host.js';
import { subjectWorkflowId } from '../model/addresses.js';
import { operationKey, type InstanceOperation } from '../workflows/define.js';
import { busyError } from './busy.js';
import type { Caller } from './caller.js';
import { resolveAsk, type Asked } from './ask.js';
import type { Ask } from './operations.js';
import { progressOf } from './progress.js';

export interface DryRun {
  operation: string;
  subject: string;
  allowed: boolean;
  refusals: ErrorRecord[];
  /** Null for what is not placed. `others`: hosts that could take it too, the best first. */
  placement: { host: string | null; others: string[]; rejected: Rejection[] } | null;
  /** What was not checked, and why. */
  notes: string[];
}

export async function dryRun(caller: Caller, ask: Ask): Promise<DryRun> {
  const asked = await resolveAsk(caller, ask);
  const { operation, label } = asked;
  const notes: string[] = [];
  const refusals: DroverError[] = [];
  const busy = await busyNow(caller, asked, notes);
  if (busy) refusals.push(busy);
  let placement: DryRun['placement'] = null;
  if (operation.target === 'instance') {
    const refusal = operation.creates
      ? await nameTaken(caller, label)
      : await beginning(caller, asked, operation);
    if (refusal) refusals.push(refusal);
    const placed = await placing(caller, asked, operation);
    placement = placed?.placement ?? null;
    if (placed?.error) refusals.push(placed.error);
  }
  return {
    operation: operation.name,
    subject: label,
    allowed: refusals.length === 0,
    refusals: refusals.map((error) => error.toRecord()),
    placement,
    notes,
  };
}

/** The very rules that the operation's beginning applies. */
async function beginning(
  caller: Caller,
  { input, subject }: Asked,
  operation: InstanceOperation,
): Promise<DroverError | undefined> {
  return read(caller.inventory, async (db) => {
    const row = await db
      .selectFrom('instances')
      .selectAll()
      .where('id', '=', subject)
      .executeTakeFirstOrThrow();
    const begin = {
      kind: operation.name,
      request: { id: '', by: caller.identity.name, role: caller.identity.role, run: null },
      instance: subject,
      input,
      allowedStates: operation.allowedStates === 'any' ? null : [...operation.allowedStates],
      doing: operation.doing,
      respectsLock: operation.respectsLock ?? true,
      respectsNeedsRepair: operation.respectsNeedsRepair ?? true,
      needs: operation.needs ?? null,
      create: null,
    };
    return refusalOf(db, begin, row);
  });
}

async function nameTaken(caller: Caller, name: string): Promise<DroverError | undefined> {
  const found = (await listInstances(caller.inventory)).find((instance) => instance.name === name);
  return (
    found &&
    new DroverError('AlreadyExists', `there is an instance ${name} already: ${found.id} (${found.state})`)
  );
}

async function busyNow(caller: Caller, asked: Asked, notes: string[]): Promise<DroverError | undefined> {
  const workflowId = subjectWorkflowId(caller.cloud, operationKey(asked.operation), asked.subject);
  try {
    const found = await progressOf(await caller.temporal(), workflowId);
    return found.running ? await busyError(caller, workflowId, asked) : undefined;
  } catch (error) {
    if (error instanceof DroverError)
      notes.push(`not checked whether another operation runs: ${error.message}`);
    return undefined;
  }
}

/** Only what takes room on a host is placed: what launches, and what moves. */
async function placing(
  caller: Caller,
  { input, subject, label }: Asked,
  operation: InstanceOperation,
): Promise<{ placement: NonNullable<DryRun['placement']>; error: DroverError | undefined } | undefined> {
  const moves = operation.needs === 'liveMigration';
  const fresh = operation.creates?.(input);
  if (!moves && !fresh) return undefined;
  const found = (await listInstances(caller.inventory)).find((one) => one.id === subject);
  const size = fresh ?? found;
  if (!size) return undefined;
  const from = moves ? (found?.host ?? null) : null;
  const named = typeof input['host'] === 'string' ? input['host'] : null;
  const wanted = { vcpus: size.vcpus, memoryMiB: size.memoryMiB, host: named, exclude: [], from };
  const { candidates, rejected } = place(await listHosts(caller.inventory), wanted);
  const [host = null, ...others] = candidates.map((candidate) => candidate.name);
  return {
    placement: { host, others, rejected },
    error: host === null ? noHost(label, wanted, rejected) : undefined,
  };
}
