/**
 * Works on items with at most `limit` at a time, in order. `more` is asked before each start; when it says
 * no, what has started is waited for and the rest is answered as not started. `held` answers a promise while
 * nothing may start for now, and is asked again when that has settled; it must not reject.
 */
export async function pool<T>(
  items: readonly T[],
  limit: number,
  more: () => boolean,
  work: (item: T, index: number) => Promise<void>,
  held: () => Promise<void> | null = () => null,
): Promise<{ notStarted: T[] }> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length && more()) {
      const wait = held();
      if (wait) {
        await wait;
        continue;
      }
      const index = next;
      next += 1;
      await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, lane));
  return { notStarted: items.slice(next) };
}
