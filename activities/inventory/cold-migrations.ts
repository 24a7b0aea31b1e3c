import { DroverError } from '../../model/errors.js';
import type { Owner } from '../../model/operation.js';
import type { Inventory } from './database.js';
import { migrationStarted } from './records.js';

/** Of a move while the guest is off no hypervisor measures anything. */
export const noFigures = { downtimeMs: null, totalMs: null, transferredBytes: null };

export async function recordColdMigration(
  inventory: Inventory,
  move: { migration: string; source: string; target: string; storage: 'shared' | 'block' },
  owner: Owner | null,
): Promise<void> {
  if (owner === null)
    throw new DroverError('StaleOwner', 'a move is recorded by the operation that makes it');
  const { migration: id, ...ways } = move;
  const { operation, instance } = owner;
  await migrationStarted(inventory, { id, operation, instance, kind: 'cold', ...ways });
}
