/** How long an operation will take, by how long the last ones of its kind took. */
import { read, type Inventory } from './database.js';

export interface Expected {
  seconds: number;
  /** How many were looked at, and how: `median of the last 12, by their memory`. */
  basis: string;
}

/** So many of the last are looked at. */
const many = 20;

/**
 * The median of the last that succeeded; null when there is none. With `memoryMiB` it is taken for each MiB, since what
 * a move takes grows with the memory that it copies.
 */
export async function expectedTime(
  inventory: Inventory,
  kind: string,
  { target, memoryMiB }: { target: 'instance' | 'host'; memoryMiB: number | null },
): Promise<Expected | null> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('operations')
      .leftJoin('instances', 'instances.id', 'operations.instance')
      .select(['operations.started_at', 'operations.ended_at', 'instances.memory_mib'])
      .where('operations.kind', '=', kind)
      .where('operations.state', '=', 'succeeded')
      .where('operations.ended_at', 'is not', null)
      .where('operations.instance', target === 'instance' ? 'is not' : 'is', null)
      .orderBy('operations.ended_at', 'desc')
      .limit(many)
      .execute(),
  );
  const scaled = memoryMiB !== null && rows.every((row) => (row.memory_mib ?? 0) > 0);
  const times = rows.map((row) => {
    const ms = Date.parse(row.ended_at ?? row.started_at) - Date.parse(row.started_at);
    return scaled ? (ms / (row.memory_mib ?? 1)) * memoryMiB : ms;
  });
  const middle = median(times);
  if (middle === undefined) return null;
  const basis = `median of the last ${rows.length}${scaled ? ', by their memory' : ''}`;
  return { seconds: Math.round(middle / 100) / 10, basis };
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half];
  return sorted.length % 2 === 1 || upper === undefined ? upper : (upper + (sorted[half - 1] ?? upper)) / 2;
}
