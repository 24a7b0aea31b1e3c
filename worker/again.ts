import { setTimeout as sleep } from 'node:timers/promises';

export interface Log {
  warn(line: string): void;
}

/** Until `ended`, with a pause between. A round that fails is told, and the next is tried. */
export async function again(
  work: () => Promise<unknown>,
  { everyMs, what, log }: { everyMs: number; what: string; log: Log },
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    await work().catch((error: unknown) => log.warn(`${what}: ${String(error)}`));
    await sleep(everyMs, undefined, { signal: ended }).catch(() => undefined);
  }
}
