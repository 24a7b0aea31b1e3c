/**
 * A fenced host that is on again and runs what runs elsewhere by now: two that write to one disk. It is cut off again by its
 * devices, within bounds; where it is not, its incident waits for a person and says what to do.
 */
import type { HostRef } from '../../model/host.js';
import type { Fence } from '../../model/incident.js';
import type { RecoveryRules } from '../../model/recovery.js';
import { fenceOff } from '../fencing/off.js';
import type { Fencing } from '../fencing/port.js';
import type { Hypervisor } from '../hypervisor/port.js';
import { transact, type Inventory, type Trx } from '../inventory/database.js';
import { requireHost } from '../inventory/hosts.js';
import { fenceOf } from '../inventory/readmit-refusal.js';
import { maintenanceOf } from '../inventory/rows.js';
import type { HostRow } from '../inventory/schema.js';
import { tellIncident } from './return-log.js';
import { seenRunning, twoCopiesText } from './return-seen.js';
import { modeOf } from './switches.js';

export interface CutDeps {
  inventory: Inventory;
  /** Not the one that refuses fenced hosts. */
  hypervisor: Hypervisor;
  fencing: Fencing;
  rules: Pick<RecoveryRules, 'budget'>;
}

/** Who is cut off again and again is switched on by somebody: that is a person's to find out. */
const mostCuts = 3;
/** What was cut off is given so long to fall silent, and whoever switched it on to hear of it. */
const restMs = 60_000;

export async function cutOffAgain(
  deps: CutDeps,
  { host }: { host: HostRef },
): Promise<{ cut: boolean; says: string }> {
  const { inventory, fencing } = deps;
  const copies = await copiesOn(deps, host);
  if (copies.length === 0) return { cut: false, says: `${host.name} runs nothing that runs elsewhere` };
  const { fence, refused, systemUuid } = await transact(inventory, (trx) =>
    take(trx, deps, host.name, copies),
  );
  if (fence === null) return { cut: false, says: `${host.name} is not fenced any more` };
  if (refused !== null)
    return refused.waits ? wait(deps, host, fence, copies, refused.says) : no(refused.says);
  const said: string[] = [];
  const devices = await fencing.devices(host);
  for (const level of new Set(devices.map((device) => device.level))) {
    const names = devices.filter((device) => device.level === level).map(({ name }) => name);
    const answers = await Promise.all(names.map((name) => off(fencing, { host, name, systemUuid })));
    said.push(...answers.map(({ says }) => says));
    if (!answers.every((answer) => answer.off)) continue;
    // A device that lies says off, too: whether it fell silent tells the host itself.
    if ((await copiesOn(deps, host)).length > 0) {
      said.push(`${host.name} goes on all the same`);
      continue;
    }
    const says = `${host.name} is off again: ${said.join('; ')}`;
    await done(deps, fence, says);
    return { cut: true, says };
  }
  const why = devices.length === 0 ? 'it has no fence device' : said.join('; ');
  return wait(deps, host, fence, copies, why);
}

const no = (says: string) => ({ cut: false, says });

async function copiesOn({ inventory, hypervisor }: CutDeps, host: HostRef): Promise<string[]> {
  const { running } = await seenRunning({ inventory, hypervisor }, { host });
  return twoCopiesText(host.name, running);
}

interface Taken {
  fence: Fence | null;
  systemUuid: string | null;
  /** `waits`: nobody does anything about it unless a person does. */
  refused: { says: string; waits: boolean } | null;
}

/** Takes one cut, told before it is done, so that it counts however it ends. */
async function take(trx: Trx, deps: CutDeps, host: string, copies: string[]): Promise<Taken> {
  const row = await requireHost(trx, host);
  const fence = fenceOf(row);
  const taken = { fence, systemUuid: row.system_uuid };
  if (fence === null) return { ...taken, refused: null };
  const refused = await refusal(trx, deps, row, fence);
  if (refused === null) {
    const line = { phase: 'cut-off', says: `${copies.join('; ')}: ${host} is cut off again` };
    await tellIncident(
      trx,
      deps.inventory,
      fence.incident,
      { ...line, details: { cut: deps.inventory.now() } },
      'always',
    );
  }
  return { ...taken, refused };
}

async function refusal(
  trx: Trx,
  { inventory, rules }: CutDeps,
  row: HostRow,
  { incident }: Fence,
): Promise<Taken['refused']> {
  const readmission = await trx
    .selectFrom('operations')
    .select('id')
    .where('kind', '=', 'readmit')
    .where('host', '=', row.name)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (readmission !== undefined) return { says: 'its readmission ends them', waits: false };
  if (maintenanceOf(row, inventory) !== null) return { says: 'it is in maintenance', waits: true };
  const { mode, says } = await modeOf(trx, inventory, row.zone);
  if (mode !== 'armed') return { says, waits: true };
  const now = inventory.clock.now();
  const cuts = (await cutsOf(trx, incident)).filter((at) => at > now - rules.budget.windowSeconds * 1000);
  if (cuts.some((at) => at > now - restMs)) return { says: 'it was cut off a moment ago', waits: false };
  if (cuts.length < mostCuts) return null;
  const often = `it was cut off ${cuts.length} times already, and somebody switches it on`;
  return { says: often, waits: true };
}

async function cutsOf(trx: Trx, incident: string): Promise<number[]> {
  const rows = await trx
    .selectFrom('incident_events')
    .select('details')
    .where('incident', '=', incident)
    .where('phase', '=', 'cut-off')
    .execute();
  return rows.flatMap(({ details }) => {
    const { cut } = JSON.parse(details) as { cut?: string };
    return cut === undefined ? [] : [Date.parse(cut)];
  });
}

async function off(
  fencing: Fencing,
  { host, name, systemUuid }: { host: HostRef; name: string; systemUuid: string | null },
): Promise<{ off: boolean; says: string }> {
  const { answer } = await fenceOff(fencing, { host, device: name, systemUuid });
  if (!answer.ok) return { off: false, says: answer.error };
  return { off: answer.power === 'off', says: `${name} says ${answer.power}` };
}

/** What an incident waits for that has its own recovery is that recovery's to say. */
const ours = 'two copies: ';

async function done({ inventory }: CutDeps, { incident }: Fence, says: string): Promise<void> {
  await transact(inventory, async (trx) => {
    await tellIncident(trx, inventory, incident, { phase: 'cut-off', says });
    await trx
      .updateTable('incidents')
      .set({ waits_for: null })
      .where('id', '=', incident)
      .where('waits_for', 'like', `${ours}%`)
      .execute();
  });
}

async function wait(
  { inventory }: CutDeps,
  { name }: HostRef,
  { incident }: Fence,
  copies: string[],
  why: string,
): Promise<{ cut: false; says: string }> {
  const says = `${name} is not cut off: ${why}`;
  const todo = `cut its power, or end them: drover host readmit ${name}`;
  await transact(inventory, async (trx) => {
    await tellIncident(trx, inventory, incident, { phase: 'cut-off', says: `${says}; ${todo}` });
    await trx
      .updateTable('incidents')
      .set({ waits_for: `${ours}${copies.join('; ')}. ${says}; ${todo}` })
      .where('id', '=', incident)
      .where((e) => e.or([e('waits_for', 'is', null), e('waits_for', 'like', `${ours}%`)]))
      .execute();
  });
  return { cut: false, says };
}
