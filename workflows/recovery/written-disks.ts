/** Whether somebody still writes to the disks of the host's guests, as another host sees them: then they run. */
import type { HostRef } from '../../model/host.js';
import { asDroverError } from '../unwind.js';
import type { Recovery } from './recovery.js';

/** What was seen to be written; null where nothing was, or where no other host sees the disks. Idle guests prove nothing. */
export async function writtenDisks(recovery: Recovery): Promise<string | null> {
  const { ctx, opened, host } = recovery;
  const seen: { disk: WatchedDisk; on: HostRef; before: Facts }[] = [];
  const disks = await sampleOf(recovery);
  for (const disk of disks) {
    for (const on of opened.others.slice(0, hostsAsked)) {
      const before = await factsOf(recovery, disk, on);
      if (before === null) continue;
      seen.push({ disk, on, before });
      break;
    }
  }
  if (seen.length === 0) return null;
  await ctx.sleep(lookAgainAfter, 'are the disks of its guests still written?');
  for (const { disk, on, before } of seen) {
    const after = await factsOf(recovery, disk, on);
    if (after === null || after === before) continue;
    return `the disk ${disk.path} of ${disk.name} is still written: it runs on ${host}, or somewhere else`;
  }
  return null;
}

const disksWatched = 3;
const hostsAsked = 2;
const lookAgainAfter = 4000;
/** A witness that does not answer is no witness; nobody waits for it. */
const answersWithin = 5;

interface WatchedDisk {
  name: string;
  path: string;
  format: 'qcow2' | 'raw';
}
type Facts = string;

/** The disks of a few guests that ran. */
async function sampleOf({ ctx, host }: Recovery): Promise<WatchedDisk[]> {
  const { casualties } = await ctx.call('casualties', { host });
  const running = casualties.filter(({ state }) => state === 'active').slice(0, disksWatched);
  const found = await Promise.all(running.map(({ instance }) => ctx.call('getInstance', { instance })));
  return found.flatMap(({ name, disks }) =>
    disks
      .filter(({ readonly }) => !readonly)
      .slice(0, 1)
      .map(({ path, format }) => ({ name, path, format })),
  );
}

async function factsOf({ ctx }: Recovery, { path, format }: WatchedDisk, on: HostRef): Promise<Facts | null> {
  try {
    const { modifiedAt, allocatedBytes } = await ctx.call(
      'diskFacts',
      { path, format },
      { on, within: answersWithin },
    );
    return `${modifiedAt} ${allocatedBytes}`;
  } catch (cause) {
    const error = asDroverError(cause);
    if (error.code === 'Cancelled') throw error;
    return null;
  }
}
