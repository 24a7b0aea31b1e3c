import { setTimeout as delay } from 'node:timers/promises';

export interface Kept {
  readonly name: string;
  /** Starts it; `exited` says in a few words how it ended. May reject: that counts as an end. */
  readonly start: () => Promise<{ readonly exited: Promise<string> }>;
  readonly logFile: string;
  readonly say: (line: string) => void;
  readonly firstDelayMs?: number;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** Who ran this long starts with a short delay again. */
const HEALTHY_MS = 60_000;

/**
 * Starts it again whenever it ends, each time later. Once `signal` aborts the caller ends the process, and this
 * resolves with its end, not before: a start that was under way then must not leave a process behind.
 */
export async function keepRunning(kept: Kept, signal: AbortSignal): Promise<void> {
  const firstDelay = kept.firstDelayMs ?? FIRST_DELAY_MS;
  let wait = firstDelay;
  while (!signal.aborted) {
    const started = Date.now();
    const ended = await onceThrough(kept);
    if (signal.aborted) return;
    if (Date.now() - started > HEALTHY_MS) wait = firstDelay;
    kept.say(
      `${kept.name} ended unexpectedly (${ended}): starting it again in ${wait / 1000} s; log: ${kept.logFile}`,
    );
    await delay(wait, undefined, { signal }).catch(() => undefined);
    wait = Math.min(wait * 2, LONGEST_DELAY_MS);
  }
}

async function onceThrough({ start }: Kept): Promise<string> {
  try {
    return await (
      await start()
    ).exited;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
