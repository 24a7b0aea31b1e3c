/** The wish of the operator, or of whoever supervises us, that this process ends. */
export interface Signals {
  /** Somebody asked for the end. */
  readonly end: AbortSignal;
  /** And again: for haste. */
  readonly hurry: AbortSignal;
  release(): void;
}

const SAME_SIGNAL_MS = 500;

/**
 * The first signal asks for the end, a later one for haste. Under npm and npx one Ctrl-C comes twice, from the
 * terminal and from npm: what follows within half a second is the same one.
 */
export function catchSignals(): Signals {
  const end = new AbortController();
  const hurry = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let first = 0;
  const onSignal = (): void => {
    if (end.signal.aborted && Date.now() - first > SAME_SIGNAL_MS) hurry.abort();
    if (!end.signal.aborted) first = Date.now();
    end.abort();
  };
  for (const name of names) process.on(name, onSignal);
  const release = (): void => {
    for (const name of names) process.off(name, onSignal);
  };
  return { end: end.signal, hurry: hurry.signal, release };
}

/** Resolves when it is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolved) => {
    signal.addEventListener('abort', () => resolved(), { once: true });
  });
}
