/** A host that lives although it was proven off may run what was brought back elsewhere: that is ended before anybody is asked. */
import type { Recovery } from './recovery.js';

/** Answers the sign of life, with what was done about second copies. */
export async function endSecondCopies<T extends { says: string }>(
  { ctx, ref }: Recovery,
  life: T,
): Promise<T> {
  const { cut, says } = await ctx.call('cutOffAgain', { host: ref });
  return cut ? { ...life, says: `${life.says}; it ran second copies: ${says}` } : life;
}
