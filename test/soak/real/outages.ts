/** Hosts that are lost one after the other: recovered, questions answered, given back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { listIncidents } from '../../../activities/inventory/incidents.js';
import type { Fault } from '../../../activities/simulator/faults.js';
import { answerIncident } from '../../../client/incident-asks.js';
import { startOperation, waitForResult } from '../../../client/operations.js';
import { asDroverError } from '../../../client/failures.js';
import type { Random } from '../../../virtual/random.js';
import type { RealSite } from './site.js';
import type { Counted } from './tally.js';

const patienceMs = 240_000;

export async function outages(
  site: RealSite,
  random: Random,
  counted: Counted,
  until: () => boolean,
): Promise<void> {
  while (!until()) {
    const { name } = random.pick(site.hosts);
    const hosts = [name];
    const kind = random.pick(['crash', 'crash', 'partition', 'hang', 'libvirtd-hang'] as const);
    // Only of a host that is off may a person say so.
    const bmc = kind === 'crash' ? random.pick(['ok', 'ok', 'dead', 'hang'] as const) : 'ok';
    if (bmc !== 'ok') await site.strike({ do: 'bmc', hosts, state: bmc });
    await site.strike({ do: kind, hosts } satisfies Fault);
    counted.count(`outage: ${kind}${bmc === 'ok' ? '' : `, its BMC: ${bmc}`}`, 'struck');
    const begun = Date.now();
    const ended = ask(site, 'host.recover', { host: name, reason: 'the soak' }, counted);
    const over = ended.then(() => true);
    while (Date.now() - begun < patienceMs) {
      await answer(site, name, kind, counted);
      if (await Promise.race([over, sleep(1000, false)])) break;
    }
    counted.longest('recovery', (Date.now() - begun) / 1000);
    await site.strike({ do: 'bmc', hosts, state: 'ok' });
    await site.strike({ do: 'restore', hosts });
    await ended;
    await giveBack(site, name, counted);
    await sleep(5000 + random.below(20_000));
  }
}

/** Until it is taken: it boots, and is probed first. */
export async function giveBack(site: RealSite, host: string, counted: Counted): Promise<void> {
  for (let tries = 0; tries < 12; tries += 1) {
    const row = await site.inventory.kysely
      .selectFrom('hosts')
      .select(['fence', 'enabled'])
      .where('name', '=', host)
      .executeTakeFirst();
    if (row?.fence === null) {
      if (row.enabled === 0) await ask(site, 'host.enable', { host }, counted);
      return;
    }
    await sleep(5000);
    await ask(site, 'host.readmit', { host }, counted);
  }
}

async function answer(site: RealSite, host: string, kind: string, counted: Counted): Promise<void> {
  const [incident] = await listIncidents(site.inventory, { host, open: true });
  if (incident === undefined || incident.waitsFor === null) return;
  for (const action of kind === 'crash' ? (['attest', 'approve'] as const) : (['approve'] as const)) {
    try {
      await answerIncident(site.caller, incident, action, 'the soak knows');
      return counted.count(`answer: ${action}`, 'taken');
    } catch (error) {
      counted.count(`answer: ${action}`, asDroverError(error, 'an answer').code);
    }
  }
}

/** Asks for an operation and waits for its end, whatever that is; never rejects. */
export async function ask(
  site: RealSite,
  operation: string,
  input: Record<string, unknown>,
  counted: Counted,
): Promise<void> {
  try {
    const answered = await startOperation(site.caller, { operation, input });
    if (answered.kind === 'started') await waitForResult(site.caller, answered.started, {});
    counted.count(operation, 'done');
  } catch (error) {
    counted.count(operation, asDroverError(error, operation).code);
  }
}
