/** A second operation takes an instance over from one that runs, as after somebody terminated the first. */
import { callOf } from '../call.js';
import { createInventoryActivities } from '../../activities/inventory/activities.js';
import { instanceWorkflowId } from '../../model/addresses.js';
import { DroverError } from '../../model/errors.js';
import type { Owner } from '../../model/operation.js';
import type { Trial } from './case.js';
import type { VirtualTrial } from './stage.js';
import { recordFor } from './told.js';

export interface Second {
  /** The first was under way then. */
  whileFirstRan: boolean;
  /** Sentences of how its ownership was harmed. */
  stands(): Promise<string[]>;
}

/** Null where there is no instance yet to take over. From here on the changes of the datacenter are watched. */
export async function secondOwner(trial: VirtualTrial, onHosts: boolean): Promise<Second | null> {
  const { place, given, stage } = trial;
  const id = given.instance?.id ?? '';
  const first = await recordFor(trial);
  const owner = await begin(trial, id);
  if (owner === null) return null;
  if (onHosts) await visit(trial, owner);
  stage.watch(id, place.name);
  return {
    whileFirstRan: first !== null && first.endedAt === null,
    async stands() {
      const row = await place.inventory.kysely
        .selectFrom('instances')
        .select(['op_id', 'epoch'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      if (row.op_id === owner.operation && row.epoch === owner.epoch) return [];
      return [`the second owner lost the instance: ${JSON.stringify({ row, owner })}`];
    },
  };
}

async function begin({ place, operation, given }: Trial, instance: string): Promise<Owner | null> {
  const control = createInventoryActivities({
    inventory: place.inventory,
    currentRun: () => ({ workflowId: instanceWorkflowId(place.cloud, instance), runId: place.uuid() }),
    isCurrentRun: () => Promise.resolve(true),
    isOpen: () => Promise.resolve(false),
    capabilities: new Set(),
  });
  const ask = {
    // Nothing else may begin where the host is fenced.
    kind: operation === 'instance.evacuate' ? 'evacuate' : 'repair',
    request: {
      id: place.uuid(),
      by: 'another',
      role: 'admin' as const,
      run: null,
    },
    instance,
    input: {
      instance,
      after: operation,
      of: given.input,
    },
    doing: 'repairing',
    allowedStates: null,
    respectsLock: false,
    respectsNeedsRepair: false,
    needs: null,
    create: null,
  };
  try {
    const answer = await control.beginOperation(ask, nobody);
    return 'owner' in answer ? answer.owner : null;
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return null;
    throw error;
  }
}

/** It has stamped every guest of it, and its epoch is in the fence of every host. */
async function visit({ place }: Trial, { instance, operation, epoch }: Owner): Promise<void> {
  await place.datacenter.transact((tx) => {
    tx.run('update guests set stamp_operation = ?, stamp_epoch = ? where id = ?', operation, epoch, instance);
    for (const { name } of place.hosts)
      tx.run('insert or replace into fences values (?, ?, ?, ?)', name, instance, epoch, operation);
  });
}

const nobody = callOf(null);
