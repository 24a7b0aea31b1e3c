import { DroverError } from '../../model/errors.js';
import type { Activities, Call } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { currentJob } from './abort.js';
import { ownerOf, refuseStale } from './guard.js';
import type { JobView } from './port.js';

/** The most that a hypervisor takes as the limit of a downtime, of those that make sense. */
const longestMs = 60_000;
const shortestMs = 1_000;

/** Somebody wants a migration to end: whoever follows it sees what came of it in the job. */
export async function steerMigration(
  { hypervisor, inventory }: HypervisorDeps,
  input: Parameters<Activities['steerMigration']>[0],
  call: Call,
): Promise<{ said: string }> {
  const { migration, instance, name, source, way, by } = input;
  const view = await hypervisor.look(source, instance);
  if (view !== null) refuseStale(view, ownerOf(call));
  const job = await currentJob(hypervisor, source, instance);
  if (job === null || job === 'unknown' || job.postCopy) {
    const now = job === null || job === 'unknown' ? 'it copies nothing now' : 'it runs on its target already';
    throw new DroverError('WrongState', `the migration of ${name} can't be brought to its end so: ${now}`);
  }
  if (input.liftCap) {
    await hypervisor.setBandwidth(source, instance, null);
    await inventory.ladderStep(migration, { rung: 'bandwidth', says: 'cap lifted', by });
  }
  if (way === 'downtime') {
    const ms = input.downtimeMs ?? enough(job);
    await hypervisor.setMaxDowntime(source, instance, ms);
    return tell(`downtime up to ${ms} ms`, way);
  }
  if (way === 'post-copy') {
    await hypervisor.startPostCopy(source, instance);
    return tell('switched to post-copy', way);
  }
  await hypervisor.pause(source, instance);
  return tell('paused until it has moved', way);

  async function tell(said: string, rung: typeof way): Promise<{ said: string }> {
    await inventory.ladderStep(migration, { rung, says: said, by });
    return { said: `${name}: ${said}` };
  }
}

/** Twice what the switch-over would take now. */
function enough({ remainingBytes, memoryBytesPerSecond: speed, expectedDowntimeMs }: JobView): number {
  const rest = remainingBytes !== null && speed !== null && speed > 0 ? (remainingBytes / speed) * 1000 : 0;
  return Math.min(longestMs, Math.max(shortestMs, Math.ceil(2 * Math.max(rest, expectedDowntimeMs ?? 0))));
}
