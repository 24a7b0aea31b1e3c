/** Why an operation may not begin: each refusal names the rule, what it saw, and the next thing to do. */
import { DroverError } from '../../model/errors.js';
import { hostFenced } from '../hypervisor/fenced.js';
import type { BeginInput } from '../types.js';
import type { Trx } from './database.js';
import { fenceIn } from './fences.js';
import type { InstanceRow } from './schema.js';

/** The first rule that refuses, or undefined when the operation may begin. `reconciled`: it has settled what was left. */
export async function refusalOf(
  trx: Trx,
  input: BeginInput,
  row: InstanceRow,
  { reconciled }: { reconciled: boolean } = { reconciled: false },
): Promise<DroverError | undefined> {
  if (input.kind === 'evacuate') return ofEvacuation(trx, input, row, reconciled);
  if (input.recordOnly === true) return locked(input, row) ?? wrongState(input, row);
  return (
    locked(input, row) ??
    broken(input, row) ??
    (await hostUnknown(trx, input, row)) ??
    (await perhapsElsewhere(trx, input, row)) ??
    wrongState(input, row)
  );
}

function locked(input: BeginInput, row: InstanceRow): DroverError | undefined {
  if (row.locked === 0 || input.request.role === 'admin') return undefined;
  const itself = input.kind === 'lock' || input.kind === 'unlock';
  if (itself ? row.locked_by === input.request.by : !input.respectsLock) return undefined;
  const who = row.locked_by ?? 'somebody';
  const reason = row.lock_reason === null ? 'no reason given' : `"${row.lock_reason}"`;
  return new DroverError('InstanceLocked', `instance ${row.name} is locked by ${who} (${reason})`, {
    details: { instance: row.id, name: row.name, lockedBy: row.locked_by, reason: row.lock_reason },
    hint: `ask ${who}, or an administrator: drover instance unlock ${row.name}`,
  });
}

function broken(input: BeginInput, row: InstanceRow): DroverError | undefined {
  if (row.needs_repair === null || !input.respectsNeedsRepair) return undefined;
  return new DroverError('NeedsRepair', `instance ${row.name} needs repair: ${row.needs_repair}`, {
    details: { instance: row.id, name: row.name, left: row.needs_repair },
  });
}

async function hostUnknown(
  trx: Trx,
  { kind }: BeginInput,
  row: InstanceRow,
): Promise<DroverError | undefined> {
  if (row.host === null) return undefined;
  const host = await trx
    .selectFrom('hosts')
    .selectAll()
    .where('name', '=', row.host)
    .executeTakeFirstOrThrow();
  const fence = await fenceIn(trx, row.host);
  // A repair asks nothing of it, and settles what an operation left on hosts that live.
  // What runs nowhere may be given up, too: what is left of it there goes when the host is readmitted.
  if (fence !== null) return ['repair', 'terminate'].includes(kind) ? undefined : hostFenced(row.host, fence);
  if (host.state === 'up') return undefined;
  const seen = host.last_seen_at === null ? 'never seen' : `last seen ${host.last_seen_at}`;
  const why = host.state_reason ?? 'it does not answer';
  return new DroverError(
    'HostUnknown',
    `the state of host ${host.name}, which instance ${row.name} is on, is unknown: ${why} (${seen})`,
    {
      details: {
        instance: row.id,
        name: row.name,
        host: host.name,
        reason: why,
        lastSeenAt: host.last_seen_at,
      },
    },
  );
}

/**
 * An evacuation rescues what is on a fenced host, whatever else holds of it. What was half-way may turn out to be on the
 * side that lives: that is no refusal.
 */
async function ofEvacuation(
  trx: Trx,
  input: BeginInput,
  row: InstanceRow,
  reconciled: boolean,
): Promise<DroverError | undefined> {
  const fence = row.host === null ? null : await fenceIn(trx, row.host);
  const { from } = input.input;
  const moved = reconciled || input.superseded === true || (typeof from === 'string' && from !== row.host);
  if (fence?.state !== 'held' && !(moved && row.host !== null)) {
    const where = row.host === null ? 'it is on no host' : `nothing proves that ${row.host} is off`;
    return new DroverError('FencingRequired', `${row.name} is not evacuated: ${where}`, {
      details: { instance: row.id, name: row.name, host: row.host },
      ...(row.host === null ? {} : { hint: `recover the host: drover host recover ${row.host}` }),
    });
  }
  // Of a host that is silent and not fenced it can't be told whether it runs there.
  return (reconciled ? await perhapsElsewhere(trx, input, row) : undefined) ?? wrongState(input, row);
}

/**
 * A migration that could not be settled may have left the guest running on its target. Until somebody has looked
 * there, only the repair that looks may go on: a terminate would remove the disk of a guest that runs.
 */
async function perhapsElsewhere(
  trx: Trx,
  input: BeginInput,
  row: InstanceRow,
): Promise<DroverError | undefined> {
  if (row.needs_repair === null || input.kind === 'repair') return undefined;
  const open = await trx
    .selectFrom('intents')
    .select('says')
    .where('instance', '=', row.id)
    .where('state', '=', 'open')
    .where('activity', 'in', ['undoMigrate', 'undoArrival'])
    .executeTakeFirst();
  if (open === undefined) return undefined;
  return new DroverError(
    'HostUnknown',
    `instance ${row.name} may run on another host as well: ${open.says}`,
    {
      details: { instance: row.id, name: row.name, left: row.needs_repair },
      hint: `bring that host back: the janitor looks there then; or \`drover instance repair ${row.name}\``,
    },
  );
}

function wrongState(input: BeginInput, row: InstanceRow): DroverError | undefined {
  const allowed = input.allowedStates;
  if (allowed === null || allowed.includes(row.state)) return undefined;
  const fault = row.state === 'error' && row.fault !== null ? ` (${row.fault})` : '';
  const list =
    allowed.length > 1 ? `${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}` : allowed.join('');
  return new DroverError(
    'WrongState',
    `${input.kind} takes an instance that is ${list}; ${row.name} is ${row.state}${fault}`,
    {
      details: { instance: row.id, name: row.name, state: row.state, allowed },
      ...(row.state === 'suspended' ? { hint: `resume it first: drover instance resume ${row.name}` } : {}),
      ...(row.state === 'resized' ? { hint: confirmOrRevert(row.name) } : {}),
    },
  );
}

const confirmOrRevert = (name: string): string =>
  `keep what it is now: drover instance confirm-resize ${name}; or go back: drover instance revert-resize ${name}`;

export const unsupported = (kind: string, needs: string, capabilities: ReadonlySet<string>): DroverError =>
  new DroverError('Unsupported', `${kind} needs ${needs}, which the hypervisors of this cloud don't have`, {
    details: { needs, capabilities: [...capabilities] },
  });

export const notFound = (input: BeginInput, row: InstanceRow | undefined): DroverError =>
  new DroverError(
    'NotFound',
    row === undefined
      ? `no instance has the id ${input.instance}`
      : `instance ${row.name} (${row.id}) was deleted at ${row.updated_at}`,
    { details: { instance: input.instance, ...(row === undefined ? {} : { deletedAt: row.updated_at }) } },
  );

export const idTaken = (row: InstanceRow): DroverError =>
  new DroverError(
    'AlreadyExists',
    `the id ${row.id} is that of instance ${row.name} (${row.state}) already`,
    {
      details: { instance: row.id, name: row.name, state: row.state },
    },
  );

export const nameTaken = (row: Pick<InstanceRow, 'id' | 'name' | 'state' | 'host'>): DroverError =>
  new DroverError(
    'AlreadyExists',
    `there is an instance ${row.name} already: ${row.id} (${row.state}${row.host === null ? '' : `, on ${row.host}`})`,
    { details: { instance: row.id, name: row.name, state: row.state, host: row.host } },
  );

export const busy = (row: InstanceRow, operation: string, workflowId: string): DroverError =>
  new DroverError(
    'InstanceBusy',
    `${row.op_kind ?? 'an operation'} (${operation}) runs on instance ${row.name}, in workflow ${workflowId}`,
    { details: { instance: row.id, name: row.name, operation, task: row.op_kind, workflowId } },
  );
