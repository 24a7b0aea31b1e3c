/** What the platform has armed on a host by itself, and what comes of it once the host is cut off. */
import { selfFence, type SelfFence } from '../../model/fence-check.js';
import type { Tx } from './database.js';
import { schedule, unschedule } from './events.js';
import { requireHost } from './hosts.js';

export function setSelfFence(
  tx: Tx,
  host: string,
  { kind, seconds }: { kind: 'watchdog' | 'lease' | 'none'; seconds: number },
): void {
  requireHost(tx, host);
  const says = `${kind} of ${seconds} s, set off when the host is cut off`;
  const armed = kind === 'none' ? null : JSON.stringify({ kind, seconds, says });
  tx.run('update hosts set self_fence = ? where name = ?', armed, host);
}

export function selfFenceOf(tx: Tx, host: string): SelfFence | null {
  const { self_fence: armed } = requireHost(tx, host);
  return armed === null ? null : selfFence.parse(JSON.parse(armed));
}

/** The host hears nobody from now on. */
export function startSelfFence(tx: Tx, host: string): void {
  const armed = selfFenceOf(tx, host);
  unschedule(tx, 'self-fence', host);
  if (armed !== null) schedule(tx, tx.now + armed.seconds * 1000, 'self-fence', { host });
}

/** Whether it has heard nobody for all that time: then it resets itself. */
export function isSelfFenced(tx: Tx, host: string): boolean {
  const { power, hung, cut } = requireHost(tx, host);
  return power === 'on' && (hung === 1 || cut === 1);
}
