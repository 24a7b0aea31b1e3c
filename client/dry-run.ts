/** What an operation would do now: the checks of its beginning and its placement, without a side effect. */
import { previewPlacement } from '../activities/inventory/claims.js';
import { read } from '../activities/inventory/database.js';
import { getFlavor } from '../activities/inventory/flavors.js';
import { expectedTime, type Expected } from '../activities/inventory/expected.js';
import { requireGroup } from '../activities/inventory/group-members.js';
import { hostRefusal } from '../activities/inventory/host-operations.js';
import { listInstances } from '../activities/inventory/instances.js';
import { noHost } from '../activities/inventory/placement/place.js';
import { refusalOf } from '../activities/inventory/refusals.js';
import { isLater, laterText } from '../activities/inventory/terminate-later.js';
import { instanceOf } from '../activities/inventory/rows.js';
import type { InstanceRow } from '../activities/inventory/schema.js';
import type { NewInstance, PlacementRequest } from '../activities/types.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { Rejection } from '../model/host.js';
import type { Flavor, InstanceState } from '../model/instance.js';
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
  /** What it would do, in a sentence; null where it would be refused. */
  would: string | null;
  /** Null for what is not placed. `others`: hosts that could take it too, the best first. */
  placement: { host: string | null; others: string[]; rejected: Rejection[] } | null;
  /** How long it will take, by the records; null when none was done yet. */
  expected: Expected | null;
  /** What was not checked, and why. */
  notes: string[];
}

/** `alone`: without asking Temporal whether another operation runs. */
export async function dryRun(
  caller: Caller,
  ask: Ask,
  { alone = false }: { alone?: boolean } = {},
): Promise<DryRun> {
  const asked = await resolveAsk(caller, ask);
  const { operation, label } = asked;
  const notes: string[] = [];
  const busy = alone ? undefined : await busyNow(caller, asked, notes);
  const checked =
    operation.target === 'host' ? await hostChecks(caller, asked) : await checks(caller, asked, operation);
  const refusals = [busy, ...checked.refusals].filter((error) => error !== undefined);
  const allowed = refusals.length === 0;
  return {
    operation: operation.name,
    subject: label,
    allowed,
    refusals: refusals.map((error) => error.toRecord()),
    would: allowed ? checked.would : null,
    placement: checked.placement,
    expected: await expectedTime(caller.inventory, operation.name, checked.size),
    notes,
  };
}

interface Checked {
  refusals: (DroverError | undefined)[];
  would: string;
  placement: DryRun['placement'];
  size: Parameters<typeof expectedTime>[2];
}

async function hostChecks(caller: Caller, { operation, label }: Asked): Promise<Checked> {
  const { name, summary } = operation;
  return {
    refusals: [await hostRefusal(caller.inventory, name, label)],
    would: `host ${label}: ${name} (${summary})`,
    placement: null,
    size: { target: 'host', memoryMiB: null },
  };
}

async function checks(caller: Caller, asked: Asked, operation: InstanceOperation): Promise<Checked> {
  const fresh = operation.creates?.(asked.input) ?? null;
  const row = fresh ? null : await rowOf(caller, asked.subject);
  const instance = row && instanceOf(row);
  const { flavor, missing } = await flavorOf(caller, fresh ? null : asked.input['flavor']);
  const [request, instead] = [operation.places?.(asked.input, instance, flavor) ?? []].flat();
  const refusals = row
    ? [await beginning(caller, asked, operation, row), missing]
    : [await nameTaken(caller, asked.label), await groupMissing(caller, fresh)];
  // Without its group or flavor it can't be placed: that it is missing was told.
  const placed =
    request && !refusals[1]
      ? await firstPlacing(caller, asked, { request, instead }, row ?? (fresh && rowFrom(asked, fresh)))
      : null;
  const host = placed?.placement.host ?? null;
  const moves = row !== null && host !== null && host !== row.host;
  const [first] = refusals;
  const later = row !== null && first !== undefined && isLater({ kind: operation.name }, first);
  return {
    refusals: [...(later ? refusals.slice(1) : refusals), placed?.error],
    would: later
      ? laterText(row.name, first)
      : sentence(asked, operation, { from: row?.state ?? null, host, source: moves ? row.host : null }),
    placement: placed?.placement ?? null,
    size: { target: 'instance', memoryMiB: moves ? (instance?.memoryMiB ?? null) : null },
  };
}

const rowOf = (caller: Caller, id: string): Promise<InstanceRow> =>
  read(caller.inventory, (db) =>
    db.selectFrom('instances').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
  );

/** The very rules that the operation's beginning applies. */
async function beginning(
  caller: Caller,
  { input, subject }: Asked,
  operation: InstanceOperation,
  row: InstanceRow,
): Promise<DroverError | undefined> {
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
    recordOnly: operation.recordOnly ?? false,
    create: null,
  };
  return read(caller.inventory, (db) => refusalOf(db, begin, row));
}

async function nameTaken(caller: Caller, name: string): Promise<DroverError | undefined> {
  const found = (await listInstances(caller.inventory)).find((instance) => instance.name === name);
  return (
    found &&
    new DroverError('AlreadyExists', `there is an instance ${name} already: ${found.id} (${found.state})`)
  );
}

async function groupMissing(caller: Caller, fresh: NewInstance | null): Promise<DroverError | undefined> {
  const group = fresh?.serverGroup ?? null;
  try {
    if (group !== null) await read(caller.inventory, (db) => requireGroup(db, group));
    return undefined;
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return error;
    throw error;
  }
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

/** The flavor that an input names; a launch is given its size itself. */
async function flavorOf(
  { inventory }: Caller,
  name: unknown,
): Promise<{ flavor: Flavor | null; missing: DroverError | undefined }> {
  if (typeof name !== 'string') return { flavor: null, missing: undefined };
  try {
    return { flavor: await getFlavor(inventory, name), missing: undefined };
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return { flavor: null, missing: error };
    throw error;
  }
}

type Placing = Parameters<typeof previewPlacement>[2];

/** The row that the launch would make, as far as its placement needs it. */
const rowFrom = ({ subject }: Asked, { serverGroup = null, networks }: NewInstance): Placing => ({
  id: subject,
  disks: '[]',
  cpu_mode: null,
  networks: networks ? JSON.stringify(networks) : null,
  server_group: serverGroup,
});

/** What it asks for first, or else instead; why not is told of each host once, as the first that refused it did. */
async function firstPlacing(
  caller: Caller,
  asked: Asked,
  { request, instead }: { request: PlacementRequest; instead: PlacementRequest | undefined },
  row: Placing,
): Promise<Awaited<ReturnType<typeof placing>>> {
  const first = await placing(caller, asked, request, row);
  if (instead === undefined || first.error === undefined) return first;
  const { placement, error } = await placing(caller, asked, instead, row);
  const told = new Set(first.placement.rejected.map(({ host }) => host));
  const rejected = [...first.placement.rejected, ...placement.rejected.filter(({ host }) => !told.has(host))];
  return { placement: { ...placement, rejected }, error };
}

async function placing(
  { inventory, strategy }: Caller,
  { label }: Asked,
  request: PlacementRequest,
  row: Placing,
): Promise<{ placement: NonNullable<DryRun['placement']>; error: DroverError | undefined }> {
  const { candidates, rejected } = await previewPlacement(
    { inventory, ...(strategy ? { strategy } : {}) },
    request,
    row,
  );
  const [host = null, ...others] = candidates.map((candidate) => candidate.name);
  return {
    placement: { host, others, rejected },
    error: host === null ? noHost(label, request, rejected) : undefined,
  };
}

/** As its state sentence will tell it: `instance web-1: active -> migrating (live-migrate) -> active, host-1 to host-3`. */
function sentence(
  { label }: Asked,
  { name, doing, endsIn }: InstanceOperation,
  { from, host, source }: { from: InstanceState | null; host: string | null; source: string | null },
): string {
  const end = endsIn === 'as it was' ? from : endsIn === 'as seen' ? 'what is found' : endsIn.join(' or ');
  const states = [...(from === null ? [] : [from]), `${doing} (${name})`, end].join(' -> ');
  const where = host === null ? '' : source === null ? `, on ${host}` : `, ${source} to ${host}`;
  return `instance ${label}: ${states}${where}`;
}
