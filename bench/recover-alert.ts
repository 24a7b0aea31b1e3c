/** From an alert that the gateway takes to the host being confirmed lost: against asking for the recovery itself. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { listIncidentEvents, listIncidents } from '../activities/inventory/incidents.js';
import { AlertMemory, takeAlerts } from '../client/alerts.js';
import { startOperation } from '../client/operations.js';
import type { Drover } from './drover.js';
import type { Session } from './session.js';
import { compare } from './statistics.js';

const pairs = 5;

/** `lostHost` makes another host that has lost its power. */
export async function alertToConfirmed(
  session: Session,
  drover: Drover,
  lostHost: () => Promise<string>,
): Promise<void> {
  const taken: { ours: number[]; baseline: number[] } = { ours: [], baseline: [] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? (['ours', 'baseline'] as const) : (['baseline', 'ours'] as const);
    for (const side of order) {
      session.signal.throwIfAborted();
      const host = await lostHost();
      const began = Date.now();
      if (side === 'ours') await byAlert(drover, host);
      else await startOperation(drover, { operation: 'host.recover', input: { host } });
      taken[side].push((await confirmedAt(session, drover, host)) - began);
    }
  }
  session.tell(compare({ bench: 'recover', case: 'alert or ask to confirmed', unit: 'ms' }, taken));
}

async function byAlert(drover: Drover, host: string): Promise<void> {
  const alert = {
    status: 'firing',
    labels: { alertname: 'HostDown', host },
    annotations: {},
    startsAt: new Date().toISOString(),
    fingerprint: randomUUID(),
  } as const;
  const [answer] = await takeAlerts(drover, [alert], { folders: [], memory: new AlertMemory() });
  if (answer?.outcome !== 'accepted') throw new Error(`the alert was ${answer?.outcome}: ${answer?.says}`);
}

/** What follows the confirmation is the fence: the log says when. */
async function confirmedAt(session: Session, { inventory }: Drover, host: string): Promise<number> {
  for (;;) {
    session.signal.throwIfAborted();
    const [incident] = await listIncidents(inventory, { host });
    const log = incident === undefined ? [] : await listIncidentEvents(inventory, incident.id);
    const line = log.find(({ phase }) => phase === 'fencing');
    if (line !== undefined && incident?.endedAt !== null) return Date.parse(line.at);
    await sleep(50);
  }
}
