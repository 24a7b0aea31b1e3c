/** What recoveries do to hosts, noted while they do it: whether it was allowed then, nobody can tell afterwards. */
import type { Skills } from '../../virtual/process.js';
import type { VirtualCloud } from '../../virtual/cloud.js';
import { recoveryPlace } from '../../virtual/places.js';
import type { World } from './world.js';

export interface Fences {
  /** Sentences of what should not have been done. */
  wrong: string[];
  /** Hosts that devices were told to cut off; those that people cut off. */
  cut: Set<string>;
  byHand: Set<string>;
}

/** Every worker that there is and will be is watched. */
export async function watchFences(cloud: VirtualCloud): Promise<Fences> {
  const fences: Fences = { wrong: [], cut: new Set(), byHand: new Set() };
  await cloud.datacenter.transact((tx) => {
    tx.run('create table off (host text not null)');
    tx.run(
      `create trigger off_hosts after update of power on hosts when new.power = 'off' and old.power <> 'off'
       begin insert into off values (new.name); end`,
    );
  });
  for (const place of [null, recoveryPlace])
    cloud.temporal.alter(place, (skills) => watched(cloud, fences, skills));
  return fences;
}

function watched(cloud: VirtualCloud, fences: Fences, skills: Skills): Skills {
  const { fenceOff, startEvacuated } = skills;
  return {
    ...skills,
    ...(fenceOff && {
      fenceOff: async (input, call) => {
        fences.cut.add(input.host.name);
        fences.wrong.push(...(await notAllowed(cloud, input.host.name, input.incident)));
        return fenceOff(input, call);
      },
    }),
    ...(startEvacuated && {
      startEvacuated: async (input, call) => {
        const held = await isHeld(cloud, input.lost);
        const started = await startEvacuated(input, call);
        if (!held)
          fences.wrong.push(`started without evidence: ${input.name}, while ${input.lost} was not held off`);
        return started;
      },
    }),
  };
}

async function isHeld({ inventory }: VirtualCloud, host: string): Promise<boolean> {
  const { kysely } = inventory;
  const row = await kysely.selectFrom('hosts').select('fence').where('name', '=', host).executeTakeFirst();
  return (JSON.parse(row?.fence ?? '{}') as { state?: string }).state === 'held';
}

/** Sentences of what was missing when a device was told to cut a host off. */
async function notAllowed({ inventory }: VirtualCloud, host: string, incident: string): Promise<string[]> {
  const { kysely } = inventory;
  const found = await kysely
    .selectFrom('incidents')
    .selectAll()
    .where('id', '=', incident)
    .executeTakeFirst();
  if (found === undefined) return [`cut off without an incident: ${host}`];
  const lines = await kysely
    .selectFrom('incident_events')
    .selectAll()
    .where('incident', '=', incident)
    .execute();
  const confirmed = lines.some(
    ({ phase, says }) =>
      (phase === 'looked' && says.startsWith('down:')) || phase === 'decided' || phase === 'approved',
  );
  return [
    ...(confirmed ? [] : [`cut off without a verdict: ${host}`]),
    ...(found.fence_taken_at === null ? [`cut off without asking the brake: ${host}`] : []),
  ];
}

/** What must hold of all that was done, at the end. */
export async function judgeFences({ cloud, fences, one }: World): Promise<string[]> {
  if (fences === null) return [];
  const { wrong, cut, byHand } = fences;
  const off = await cloud.datacenter.transact((tx) =>
    tx.all<{ host: string }>('select distinct host from off'),
  );
  const struck = strikesOf(one);
  const open = await cloud.inventory.kysely
    .selectFrom('incidents')
    .select('host')
    .where('ended_at', 'is', null)
    .execute();
  return [
    ...new Set(wrong),
    ...off
      .filter(({ host }) => !cut.has(host) && !byHand.has(host) && !struck.power.has(host))
      .map(({ host }) => `lost its power, and nobody meant it: ${host}`),
    ...[...cut]
      .filter((host) => !struck.any.has(host))
      .map((host) => `cut off although nothing was wrong with it: ${host}`),
    ...(await beyondBudget(cloud)),
    ...open.map(({ host }) => `an incident stays open: ${host}`),
  ];
}

/** Hosts that a fault of the case took the power of, and those that any fault struck. */
function strikesOf({ hosts, actions }: World['one']): { power: Set<string>; any: Set<string> } {
  const struck = { power: new Set<string>(), any: new Set<string>() };
  // One that is cut off resets itself.
  for (const { name, watchdog } of hosts) if (watchdog !== undefined) struck.power.add(name);
  for (const action of actions) {
    if (action.do === 'worker' || (action.do === 'fault' && !('hosts' in action.fault)))
      // Who sees too little may take every host for lost.
      for (const { name } of hosts) struck.any.add(name);
    const reboots = action.do === 'runbook' || (action.do === 'operation' && action.uses === 'host.reboot');
    if (reboots) for (const { name } of hosts) [struck.any, struck.power].forEach((those) => those.add(name));
    if (action.do !== 'fault') continue;
    const { fault } = action;
    const at =
      fault.do === 'rack-loss'
        ? hosts.filter(({ rack }) => rack === fault.rack).map(({ name }) => name)
        : 'hosts' in fault
          ? fault.hosts
          : [];
    if (fault.do === 'restore' || fault.do === 'bmc') continue;
    for (const host of at) struck.any.add(host);
    if (fault.do === 'rack-loss' || fault.do === 'crash') for (const host of at) struck.power.add(host);
  }
  return struck;
}

/** Fences that no person approved, within each window that begins with one of them. */
async function beyondBudget({ inventory, recovery }: VirtualCloud): Promise<string[]> {
  const { kysely } = inventory;
  const taken = await kysely
    .selectFrom('incidents')
    .select(['id', 'host', 'domain', 'fence_taken_at'])
    .where('fence_taken_at', 'is not', null)
    .where('id', 'not in', (e) =>
      e.selectFrom('incident_events').select('incident').where('phase', '=', 'approved'),
    )
    .orderBy('fence_taken_at')
    .execute();
  const { zone, fleet, windowSeconds } = recovery.budget;
  const times = taken.map((one) => ({ ...one, at: Date.parse(one.fence_taken_at ?? '') }));
  return times.flatMap((first) => {
    const within = times.filter(({ at }) => at >= first.at && at < first.at + windowSeconds * 1000);
    const near = within.filter((one) => (one.domain || one.host) === (first.domain || first.host));
    if (within.length <= fleet && near.length <= zone) return [];
    return [`fenced beyond the budget: ${within.map(({ host }) => host).join()}`];
  });
}
