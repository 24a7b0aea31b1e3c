import type { ExpressionBuilder } from 'kysely';
import { read } from './database.js';
import { closeLostHostOperations } from './host-operations.js';
import { hostsNamed } from './fences.js';
import { openIntents } from './intents.js';
import type { OwnershipDeps } from './ownership.js';
import { dueRestarts } from './restarts.js';
import type { Tables } from './schema.js';
import { dueTerminates, type TerminateDue } from './terminate-later.js';

export interface Orphan {
  instance: string;
  name: string;
  why: string;
  /** Nothing is to be settled: its restart policy starts it. */
  restart?: true;
  /** Nothing is to be settled: somebody has asked for that while its host was silent. */
  terminate?: TerminateDue;
}

type OrphanDeps = Pick<OwnershipDeps, 'inventory' | 'isOpen'>;

/**
 * Instances whose operation is open in the inventory although its workflow is not, that need repair, whose power
 * nobody knows since their host was silent when an operation ended, or whose power is not that of their state: they
 * went off, or were started, by themselves. And those that their restart policy is to start. One whose leavings are on a host that does not
 * answer is left in peace until that host is back. Operations on hosts leave nothing but an open record: that is
 * closed here.
 */
export async function findOrphans(deps: OrphanDeps): Promise<Orphan[]> {
  await closeLostHostOperations(deps);
  const suspects = await read(deps.inventory, (db) =>
    db
      .selectFrom('instances')
      .selectAll()
      .where((e) =>
        e.or([
          e('op_id', 'is not', null),
          e('needs_repair', 'is not', null),
          e.and([e('power_state', '=', 'unknown'), e('host', 'in', answering(e))]),
          e.and([e.or(disagreeing(e)), e('host', 'in', answering(e))]),
        ]),
      )
      .orderBy('name')
      .orderBy('id')
      .execute(),
  );
  const orphans: Orphan[] = [];
  for (const {
    id,
    name,
    op_id,
    op_kind,
    op_workflow_id,
    needs_repair,
    host,
    state,
    power_state,
  } of suspects) {
    const repair = needs_repair === null ? [] : [`needs repair: ${needs_repair}`];
    const lost = op_id !== null && (op_workflow_id === null || !(await deps.isOpen(op_workflow_id)));
    if (lost && (await stillOwns(deps, id, op_id))) {
      const why = `${op_kind ?? 'operation'} ${op_id} is open, but its workflow ${op_workflow_id ?? ''} is not`;
      orphans.push({ instance: id, name, why: [why, ...repair].join('; ') });
    } else if (op_id === null && repair.length > 0 && !(await waitsForHost(deps, id))) {
      orphans.push({ instance: id, name, why: repair.join('; ') });
    } else if (op_id === null && repair.length === 0) {
      const why =
        power_state === 'unknown'
          ? `its power is unknown, and host ${host} answers again`
          : `it is ${state}, and on ${host} it is ${power_state}`;
      orphans.push({ instance: id, name, why });
    }
  }
  const due = await dueRestarts(deps.inventory);
  // Whatever else is to be settled of it, terminate settles first.
  const goes = await dueTerminates(deps.inventory);
  const going = new Set(goes.map(({ instance }) => instance));
  const stays = ({ instance }: { instance: string }): boolean => !going.has(instance);
  const restarts = due.map((one) => ({ ...one, restart: true as const }));
  return [...orphans.filter(stays), ...restarts.filter(stays), ...goes];
}

/** States, and the powers that no instance has in them. */
const unlike = [
  [['active'], ['shutoff', 'crashed', 'absent', 'paused']],
  [['paused'], ['shutoff', 'crashed', 'absent', 'running']],
  [
    ['stopped', 'suspended'],
    ['running', 'paused', 'absent'],
  ],
] as const;
const disagreeing = (e: ExpressionBuilder<Tables, 'instances'>) =>
  unlike.map(([states, powers]) => e.and([e('state', 'in', states), e('power_state', 'in', powers)]));

const answering = (e: ExpressionBuilder<Tables, 'instances'>) =>
  e.selectFrom('hosts').select('name').where('hosts.state', '=', 'up').where('hosts.fence', 'is', null);

/** Whether its leavings are on a host that does not answer. One that is fenced is not waited for. */
async function waitsForHost({ inventory }: OrphanDeps, instance: string): Promise<boolean> {
  const { silent, open } = await read(inventory, async (db) => ({
    silent: await db
      .selectFrom('hosts')
      .select('name')
      .where('state', '=', 'unknown')
      .where('fence', 'is', null)
      .execute(),
    open: await openIntents(db, instance),
  }));
  const names = new Set(silent.map((host) => host.name));
  return open.some((intent) => hostsNamed(intent).some((name) => names.has(name)));
}

/** An operation closes its row before its workflow ends, so one that ended while we asked does not own the row any more. */
async function stillOwns(
  deps: Pick<OwnershipDeps, 'inventory'>,
  instance: string,
  operation: string,
): Promise<boolean> {
  const row = await read(deps.inventory, (db) =>
    db.selectFrom('instances').select('op_id').where('id', '=', instance).executeTakeFirst(),
  );
  return row?.op_id === operation;
}
