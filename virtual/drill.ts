/**
 * What the recovery of a host would do if it were lost now: the very workflow, on virtual time, over a copy of the live
 * inventory. Nothing of it touches a host, a fence device, or the inventory itself.
 */
import { expectedTime, type Expected } from '../activities/inventory/expected.js';
import type { Inventory } from '../activities/inventory/database.js';
import { listIncidentEvents, listIncidents } from '../activities/inventory/incidents.js';
import { giveFault } from '../activities/simulator/faults.js';
import type { Fencing } from '../activities/fencing/port.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { Incident, IncidentEvent, Recovered } from '../model/incident.js';
import type { RecoveryRules } from '../model/recovery.js';
import { copyOf } from './drill-copy.js';
import type { VirtualCloud } from './cloud.js';
import type { Handle } from './handle.js';

export interface DrillOrder {
  host: string;
  rules: RecoveryRules;
  strategy: Strategy;
  /** The fence devices of the host as configured, by name and level; null where the datacenter is simulated and has its own. */
  devices: { name: string; level: number }[] | null;
  countsSelfFence: boolean;
}

export interface Drill {
  host: string;
  /** Why it would be refused; null where it would begin. */
  refusal: ErrorRecord | null;
  /** How it would end. */
  ends: string;
  /** What people would be asked, in this order. */
  asks: string[];
  instances: Recovered[];
  phases: { phase: string; seconds: number | null }[];
  /** Without the time that people take; null where nothing was evacuated yet from which to tell. */
  seconds: number | null;
  log: { after: number; phase: string; says: string }[];
  assumed: string[];
}

export async function drill(live: Inventory, order: DrillOrder): Promise<Drill> {
  const { cloud, assumed } = await copyOf(live, order.host);
  try {
    Object.assign(cloud.recovery, order.rules, { vantages: cloud.recovery.vantages });
    cloud.strategy = order.strategy;
    cloud.fencing = (simulated) => asConfigured(simulated, order);
    const silent = await crash(cloud, order.host);
    const handle = cloud.operation(
      'host.recover',
      { host: order.host, reason: 'as if it were lost' },
      { by: 'a drill' },
    );
    const asks = await play(cloud, handle, order.host);
    // Only what would find no room is left: nobody waits for that in a drill.
    const waits = handle.run.open;
    if (waits) handle.cancel();
    const ending = await handle.ending;
    const [incident] = await listIncidents(cloud.inventory, { host: order.host });
    if (incident === undefined) return refused(order.host, ending, assumed);
    const log = await listIncidentEvents(cloud.inventory, incident.id);
    const expected = await expectedTime(live, 'evacuate', { target: 'instance', memoryMiB: null });
    return report(order, {
      incident,
      log,
      asks,
      waits,
      expected,
      assumed: [...assumed, ...assumptions(order, silent)],
    });
  } finally {
    await cloud.close();
  }
}

/** The host is lost; others that are silent or fenced in truth are so here. Answers these. */
async function crash({ datacenter, inventory }: VirtualCloud, host: string): Promise<string[]> {
  const rows = await inventory.kysely.selectFrom('hosts').select(['name', 'state', 'fence']).execute();
  const silent = rows
    .filter(({ name, state, fence }) => name !== host && (state === 'unknown' || fence !== null))
    .map(({ name }) => name);
  await datacenter.transact((tx) => giveFault(tx, { do: 'crash', hosts: [host, ...silent] }));
  return silent;
}

/** Lets time pass until it ends, or waits for what a drill has not; whoever is asked says yes at once. */
async function play(cloud: VirtualCloud, handle: Handle, host: string): Promise<string[]> {
  const asks: string[] = [];
  const end = cloud.clock.now() + longest;
  while (handle.run.open && cloud.clock.now() < end) {
    await cloud.clock.advance(1000);
    const [incident] = await listIncidents(cloud.inventory, { host });
    if (incident === undefined || incident.waitsFor === null) continue;
    asks.push(incident.waitsFor);
    if (!(await answered(handle))) break;
  }
  return asks;
}

const longest = 7 * 86_400_000;

/** False where it waits for no person: for room. */
async function answered(handle: Handle): Promise<boolean> {
  for (const ask of ['approve', 'attest']) {
    try {
      await handle.update(ask, { by: 'a drill', role: 'admin', way: null });
      return true;
    } catch (error) {
      if (!(error instanceof DroverError) || error.code !== 'WrongState') throw error;
    }
  }
  return false;
}

/** The simulated device of the host answers by the names of the configured ones. */
function asConfigured(simulated: Fencing, { host, devices, countsSelfFence }: DrillOrder): Fencing {
  if (devices === null) return simulated;
  const own = async (of: Parameters<Fencing['devices']>[0]): Promise<string> =>
    (await simulated.devices(of))[0]?.name ?? '';
  return {
    devices: async (of) => (of.name === host ? devices : simulated.devices(of)),
    countsSelfFence: () => Promise.resolve(countsSelfFence),
    identify: async (of, _device, uuid) => simulated.identify(of, await own(of), uuid),
    status: async (of) => simulated.status(of, await own(of)),
    off: async (of) => simulated.off(of, await own(of)),
    on: async (of) => simulated.on(of, await own(of)),
  };
}

function assumptions({ host, devices }: DrillOrder, silent: string[]): string[] {
  const named = devices === null ? ['its simulated BMC'] : devices.map(({ name }) => name);
  return [
    `${host} is down, and every vantage point sees so`,
    named.length === 0
      ? `${host} has no fence device: somebody looks at it and attests that it is off`
      : `${named.join(' and ')} ${named.length === 1 ? 'answers' : 'answer'} as configured`,
    'whoever is asked says yes at once, and what waits for room gets none',
    ...(silent.length === 0 ? [] : [`silent now, and so here: ${silent.join(', ')}`]),
  ];
}

function refused(host: string, ending: Awaited<Handle['ending']>, assumed: string[]): Drill {
  const error =
    'error' in ending ? ending.error : new DroverError('Internal', 'it ended without an incident');
  return {
    host,
    refusal: error.toRecord(),
    ends: error.message,
    asks: [],
    instances: [],
    phases: [],
    seconds: null,
    log: [],
    assumed,
  };
}

function report(
  { host, rules }: DrillOrder,
  {
    incident,
    log,
    asks,
    waits,
    expected,
    assumed,
  }: {
    incident: Incident;
    log: IncidentEvent[];
    asks: string[];
    waits: boolean;
    expected: Expected | null;
    assumed: string[];
  },
): Drill {
  const begun = Date.parse(incident.openedAt);
  const after = (at: string): number => Math.round((Date.parse(at) - begun) / 100) / 10;
  const phases = phasesOf(log.map(({ at, phase }) => ({ at: after(at), phase })));
  const moved = incident.instances.filter(({ outcome }) => outcome === 'evacuated').length;
  const rounds = Math.ceil(moved / rules.atATime);
  const starting = moved === 0 ? 0 : expected === null ? null : rounds * expected.seconds;
  const started = `bring back ${moved}, ${rules.atATime} at a time`;
  const basis =
    expected === null
      ? 'how long an evacuation takes is not known: none was recorded yet'
      : `an evacuation takes ${expected.seconds} s (${expected.basis})`;
  const known = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  return {
    host,
    refusal: null,
    ends: waits ? 'it goes on trying, and waits for room' : (log.at(-1)?.says ?? ''),
    asks,
    instances: incident.instances,
    phases: [...phases, ...(moved === 0 ? [] : [{ phase: started, seconds: starting }])],
    seconds: starting === null ? null : Math.round((known + starting) * 10) / 10,
    log: (waits ? log.filter(({ phase }) => phase !== 'closed') : log).map(({ at, phase, says }) => ({
      after: after(at),
      phase,
      says,
    })),
    assumed: moved === 0 ? assumed : [...assumed, basis],
  };
}

/** From the first line of a phase to that of the next; a wait for people is no time of ours. */
function phasesOf(log: { at: number; phase: string }[]): { phase: string; seconds: number }[] {
  const begin = (of: string) => log.find(({ phase }) => phase === of)?.at;
  const marks: [string, number | undefined][] = [
    ['confirm', log[0]?.at],
    ['settle', begin('settling')],
    ['fence and its witness', begin('fencing')],
    ['plan and verify', begin('planned')],
    ['', log.find(({ phase }) => phase === 'evacuated' || phase === 'no room')?.at ?? log.at(-1)?.at],
  ];
  const seen = marks.flatMap(([phase, at]) => (at === undefined ? [] : [{ phase, at }]));
  return seen.slice(0, -1).map(({ phase, at }, index) => ({
    phase,
    seconds: Math.round(((seen[index + 1]?.at ?? at) - at) * 10) / 10,
  }));
}
