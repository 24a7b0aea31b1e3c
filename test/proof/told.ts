/** The record of an operation tells the same as its caller was told. */
import type { Inventory } from '../../activities/inventory/database.js';
import { getOperation } from '../../activities/inventory/records.js';
import type { Trial } from './case.js';
import type { OperationRecord } from '../../model/operation.js';

/** As a caller hears of it: done, or the code of the error. */
export type Heard = 'done' | 'nothing' | (string & {});

export async function recordOf(inventory: Inventory, id: string): Promise<OperationRecord | null> {
  const row = await inventory.kysely
    .selectFrom('operations')
    .select('id')
    .where('id', '=', id)
    .executeTakeFirst();
  return row ? getOperation(inventory, id) : null;
}

export const recordFor = ({ place, id }: Trial): Promise<OperationRecord | null> =>
  recordOf(place.inventory, id);

export function mistold(record: OperationRecord | null, heard: Heard): string[] {
  if (heard === 'nothing') return [];
  // What was refused, or failed before it began, changed nothing.
  if (record === null) return heard === 'done' ? ['done, and no record of it'] : [];
  const told = JSON.stringify({ heard, state: record.state, error: record.error, left: record.left });
  const wrong: string[] = [];
  if (record.endedAt === null) wrong.push(`not closed: ${told}`);
  if (heard === 'done' && record.state !== 'succeeded') wrong.push(`done but recorded otherwise: ${told}`);
  if (heard !== 'done' && record.error?.code !== heard) wrong.push(`another error is recorded: ${told}`);
  if ((heard === 'Cancelled') !== (record.state === 'cancelled')) wrong.push(`cancelled or not? ${told}`);
  const incomplete = ['UnwindIncomplete', 'CleanupIncomplete'].includes(record.error?.code ?? '');
  if (record.left.length > 0 !== incomplete) wrong.push(`left and error disagree: ${told}`);
  return wrong;
}
