/** Keeps Temporal's schedules in step with `on.schedule` of the runbooks in the folders. Those that people made are left alone. */
import { existsSync } from 'node:fs';
import { ScheduleAlreadyRunning, ScheduleNotFoundError, type Client } from '@temporalio/client';
import type { Inventory } from '../activities/inventory/database.js';
import { appendTrail } from '../activities/inventory/trail.js';
import { scheduleId } from '../model/addresses.js';
import { runQueue } from '../model/recovery-run.js';
import { ownScheduleName, type ScheduledOrder } from '../model/schedule.js';
import { listRunbooks, loadRunbook } from '../runbooks/language/load.js';
import { scheduleOptions } from '../temporal/schedule-options.js';
import { runbookCatalogue } from '../workflows/runbook-catalogue.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import { again, type Log } from './again.js';

/** A schedule as it should be, or is. */
export interface KeptSchedule {
  order: ScheduledOrder;
  queue: string;
}

interface Changes {
  create: KeptSchedule[];
  update: KeptSchedule[];
  /** Names. */
  remove: string[];
}

/** `broken`: runbooks whose files have mistakes just now; nobody knows what they want. */
export function planSchedules(
  wanted: readonly KeptSchedule[],
  present: ReadonlyMap<string, KeptSchedule>,
  broken: ReadonlySet<string>,
): Changes {
  const names = new Set(wanted.map(({ order }) => order.schedule));
  const found = (one: KeptSchedule): KeptSchedule | undefined => present.get(one.order.schedule);
  return {
    create: wanted.filter((one) => found(one) === undefined),
    update: wanted.filter(
      (one) => found(one) !== undefined && JSON.stringify(found(one)) !== JSON.stringify(one),
    ),
    remove: [...present.keys()].filter((name) => !names.has(name) && !broken.has(name.split('.')[0] ?? '')),
  };
}

export interface Keeping {
  client: Client;
  inventory: Inventory;
  cloud: string;
  folders: readonly string[];
  searchable: boolean;
}

const everyMs = 60_000;

/** Until `ended`. A round that fails is told, and the next is tried. */
export async function keepSchedules(keeping: Keeping, log: Log, ended: AbortSignal): Promise<void> {
  const what = 'the schedules of runbooks could not be kept in step';
  await again(() => syncSchedules(keeping), { everyMs, what, log }, ended);
}

/** One round. Answers what it changed. */
export async function syncSchedules(keeping: Keeping): Promise<string[]> {
  const { wanted, broken } = await wantedSchedules(keeping);
  const changes = planSchedules(wanted, await presentSchedules(keeping, wanted), broken);
  const done: string[] = [];
  const failures: string[] = [];
  const change = async (action: string, schedule: string, work: () => Promise<boolean>): Promise<void> => {
    const line = { by: 'runbooks', role: 'automation', via: 'schedule', outcome: 'done' } as const;
    try {
      if (!(await work())) return;
      done.push(`${action} ${schedule}`);
      const told = { ...line, action: `schedule.${action}`, subject: schedule, details: {} };
      await appendTrail(keeping.inventory, told);
    } catch (error) {
      // The others are kept in step all the same.
      failures.push(`${action} of ${schedule}: ${String(error)}`);
    }
  };
  for (const one of changes.create) await change('create', one.order.schedule, () => create(keeping, one));
  for (const one of changes.update) await change('update', one.order.schedule, () => update(keeping, one));
  // A folder that is not mounted just now is no folder without runbooks.
  const whole = keeping.folders.every((folder) => existsSync(folder));
  for (const name of whole ? changes.remove : []) await change('delete', name, () => remove(keeping, name));
  if (failures.length > 0) throw new Error(failures.join('; '));
  return done;
}

async function wantedSchedules({
  cloud,
  folders,
}: Keeping): Promise<{ wanted: KeptSchedule[]; broken: Set<string> }> {
  const listed = await listRunbooks(folders, runbookCatalogue());
  const broken = new Set(listed.filter(({ runbook }) => runbook === undefined).map(({ name }) => name));
  const wanted: KeptSchedule[] = [];
  for (const { name, runbook } of listed) {
    if (runbook?.on?.schedule === undefined) continue;
    const plan = await loadRunbook(name, folders, runbookCatalogue());
    const queue = runQueue(cloud, plan);
    for (const trigger of runbook.on.schedule) {
      const schedule = ownScheduleName(name, trigger.name);
      wanted.push({ order: { schedule, runbook: name, trigger, by: null }, queue });
    }
  }
  return { wanted, broken };
}

/** The list may not know yet what was just made, so what is wanted is asked for by its name. */
async function presentSchedules(
  { client, cloud }: Keeping,
  wanted: readonly KeptSchedule[],
): Promise<Map<string, KeptSchedule>> {
  const prefix = scheduleId(cloud, '');
  const names = new Set(wanted.map(({ order }) => order.schedule));
  for await (const { scheduleId: id } of client.schedule.list()) {
    const name = id.startsWith(prefix) ? id.slice(prefix.length) : '';
    if (name.includes('.')) names.add(name);
  }
  const present = new Map<string, KeptSchedule>();
  for (const name of names) {
    const found = await unlessGone(() => client.schedule.getHandle(scheduleId(cloud, name)).describe());
    if (found === undefined) continue;
    const [order] = found.action.args as unknown as [ScheduledOrder];
    present.set(name, { order, queue: found.action.taskQueue });
  }
  return present;
}

function optionsOf({ cloud, searchable }: Keeping, { order, queue }: KeptSchedule) {
  const { runbook } = order;
  const attributes = searchAttributesOf({ cloud, operation: null, subject: null, runbook, host: null });
  return scheduleOptions(order, { cloud, queue, attributes: searchable ? attributes : null });
}

/** False where another worker was faster. */
async function create(keeping: Keeping, one: KeptSchedule): Promise<boolean> {
  try {
    await keeping.client.schedule.create(optionsOf(keeping, one));
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

/** One that somebody paused stays paused. */
async function update(keeping: Keeping, one: KeptSchedule): Promise<boolean> {
  const { spec, action, policies = {} } = optionsOf(keeping, one);
  const handle = keeping.client.schedule.getHandle(scheduleId(keeping.cloud, one.order.schedule));
  return done(() => handle.update(({ state }) => ({ spec, action, policies, state })));
}

const remove = ({ client, cloud }: Keeping, name: string): Promise<boolean> =>
  done(() => client.schedule.getHandle(scheduleId(cloud, name)).delete());

const done = async (work: () => Promise<void>): Promise<boolean> =>
  (await unlessGone(() => work().then(() => true))) ?? false;

async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
