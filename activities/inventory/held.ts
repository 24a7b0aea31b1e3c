/** What an instance keeps of the place that it had before a resize or a cold migration which is not confirmed. */
import type { Resized } from '../../model/instance.js';
import type { AllocationRow, InstanceRow } from './schema.js';

export const heldId = (instance: string): string => `held/${instance}`;

/**
 * All that it had, on another host; where it still is, what it had more of than now: together with what it takes now
 * that is enough for both sizes, so that going back always fits.
 */
export function heldOf(row: Pick<InstanceRow, 'id' | 'state' | 'host' | 'vcpus' | 'memory_mib' | 'resized'>) {
  if (row.resized === null || row.state === 'deleted') return null;
  const was = JSON.parse(row.resized) as Resized;
  const same = was.host === row.host;
  const vcpus = Math.max(0, was.vcpus - (same ? row.vcpus : 0));
  const memory = Math.max(0, was.memoryMiB - (same ? row.memory_mib : 0));
  if (vcpus === 0 && memory === 0) return null;
  const of = { id: heldId(row.id), instance: row.id, host: was.host, operation: null };
  return { ...of, vcpus, memory_mib: memory, slots: 0 } satisfies AllocationRow;
}
