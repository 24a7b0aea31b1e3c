/** Whether the host's own watchdog or lease has certainly ended its guests by now. */
import { armed } from '../../model/fence-check.js';
import type { Evidence } from '../../model/incident.js';
import { read } from '../inventory/database.js';
import { requireHost } from '../inventory/hosts.js';
import type { RecoveryDeps } from './deps.js';

interface Answer {
  evidence: Evidence | null;
  /** How long until it counts; null where it never will. */
  inSeconds: number | null;
  says: string;
}

/**
 * Nothing here reads the host's clock: `silentSince` is when the last answer came by ours, so the last feeding that we
 * know to be possible is then, and the time that it may run on begins there. What was recorded after that proves nothing:
 * it may be what somebody wrote down to get past this rung.
 */
export async function watchdogEvidence(
  { inventory, rules }: RecoveryDeps,
  { host, silentSince }: { host: string; silentSince: string },
): Promise<Answer> {
  const row = await read(inventory, (db) => requireHost(db, host));
  return runOut(host, row.armed, {
    silentSince: Date.parse(silentSince),
    now: Date.parse(inventory.now()),
    marginSeconds: rules.watchdogMarginSeconds,
  });
}

export function runOut(
  host: string,
  stored: string | null,
  { silentSince, now, marginSeconds }: { silentSince: number; now: number; marginSeconds: number },
): Answer {
  const never = (says: string): Answer => ({ evidence: null, inSeconds: null, says });
  if (stored === null) return never(`no watchdog or lease of ${host} was seen armed while it answered`);
  const known = armed.safeParse(JSON.parse(stored));
  if (!known.success || known.data.seconds <= 0)
    return never(`what is recorded of a watchdog of ${host} can't be read`);
  const { kind, seconds, says, at } = known.data;
  if (Number.isNaN(silentSince)) return never(`nobody knows since when ${host} is silent`);
  if (!(Date.parse(at) <= silentSince))
    return never(
      `its ${kind} was seen armed at ${at} only, after ${host} had gone silent: that does not count`,
    );
  const due = silentSince + (seconds + marginSeconds) * 1000;
  const since = new Date(silentSince).toISOString();
  const told = `${says}; silent since ${since}, ${seconds} s and ${marginSeconds} s of margin`;
  if (now < due) {
    const inSeconds = Math.ceil((due - now) / 1000);
    return {
      evidence: null,
      inSeconds,
      says: `its ${kind} runs out for certain in ${inSeconds} s (${told})`,
    };
  }
  const sentence = `its ${kind} has run out (${told})`;
  const evidence: Evidence = {
    kind,
    at: new Date(now).toISOString(),
    says: sentence,
    device: null,
    verified: false,
    by: null,
  };
  return { evidence, inSeconds: 0, says: sentence };
}
