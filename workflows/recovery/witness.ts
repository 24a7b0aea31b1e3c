/** A second witness against what a device says of itself: nobody sees the host, and nothing writes to its guests' disks. */
import { look } from './look.js';
import type { Recovery } from './recovery.js';
import { writtenDisks } from './written-disks.js';

/** What contradicts that it is off; null where nothing does. */
export async function witnessed(recovery: Recovery): Promise<string | null> {
  const [{ verdict, says }, written] = await Promise.all([look(recovery), writtenDisks(recovery)]);
  if (verdict === 'alive' || verdict === 'hung') return says;
  return written;
}
