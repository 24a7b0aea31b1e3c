/** Schedules of runbooks: made, paused, started at once and removed by people; those in a runbook's `on` the workers make. */
import { ScheduleAlreadyRunning, ScheduleNotFoundError, type ScheduleHandle } from '@temporalio/client';
import { checkSchema, pathText } from '../config/yaml-file.js';
import { scheduleId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { runQueue } from '../model/recovery-run.js';
import type { ScheduledOrder } from '../model/schedule.js';
import { scheduleSchema, type ScheduleTrigger } from '../model/triggers.js';
import { isOpen, wallText, windowText } from '../model/window.js';
import { scheduleProblems } from '../runbooks/language/check-schedule.js';
import { loadRunbook } from '../runbooks/language/load.js';
import { scheduledRun } from '../runbooks/language/scheduled.js';
import { grpcCode } from '../temporal/grpc.js';
import { scheduleOptions } from '../temporal/schedule-options.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import { runbookCatalogue } from './catalogue.js';
import type { Caller } from './caller.js';
import { asDroverError } from './failures.js';
import { mayAnswer, mayChange, mayOperate, mayRun } from './permissions.js';
import { prepareRun } from './runs.js';
import { viewSchedule, type ScheduleView } from './schedule-view.js';
import { isUnknownAttribute } from './start.js';
import { recorded } from './trail.js';

const INVALID_ARGUMENT = 3;

interface NewSchedule {
  /** By name: the workers look it up each time. */
  runbook: string;
  folders: readonly string[];
  /** As in `on.schedule`, unchecked. */
  trigger: Record<string, unknown>;
}

/** In the order of names. `folders`: where runbooks are, to tell of schedules whose runbook is gone. */
export async function listSchedules(caller: Caller, folders: readonly string[]): Promise<ScheduleView[]> {
  const { client } = await caller.temporal();
  const prefix = scheduleId(caller.cloud, '');
  const names: string[] = [];
  await told(caller, 'list', async () => {
    for await (const { scheduleId: id } of client.schedule.list())
      if (id.startsWith(prefix)) names.push(id.slice(prefix.length));
  });
  const views = names.toSorted().map(async (name) =>
    viewSchedule(caller, name, folders).catch((error: unknown) => {
      // The list still knows what was just removed.
      if (error instanceof ScheduleNotFoundError) return null;
      throw asDroverError(error, `the schedule ${name}`);
    }),
  );
  return (await Promise.all(views)).filter((view) => view !== null);
}

/** Throws NotFound. */
export const getSchedule = (
  caller: Caller,
  name: string,
  folders: readonly string[],
): Promise<ScheduleView> => told(caller, name, () => viewSchedule(caller, name, folders));

/** Throws InvalidInput, NotFound, AlreadyExists, PermissionDenied. */
export async function createSchedule(caller: Caller, ask: NewSchedule): Promise<ScheduleView> {
  const { runbook, folders } = ask;
  const name = String(ask.trigger['name']);
  return recorded(
    caller,
    { action: 'schedule.create', subject: name, details: { runbook } },
    async (more) => {
      mayAnswer(caller, 'make schedules');
      const trigger = checked(ask.trigger);
      const { cron, every } = trigger;
      more({ cron, every, inputs: trigger.inputs });
      const now = { name, time: caller.inventory.now() };
      const order = { runbook, inputs: trigger.inputs };
      const { inputs } = await scheduledRun(order, now, folders, runbookCatalogue());
      const { plan } = await prepareRun(caller, { runbook, folders, inputs });
      mayRun(caller, plan);
      const { name: by, role } = caller.identity;
      const queue = runQueue(caller.cloud, plan);
      await create(caller, { schedule: name, runbook, trigger, by: { name: by, role } }, queue);
      return getSchedule(caller, name, folders);
    },
  );
}

async function create(caller: Caller, order: ScheduledOrder, queue: string): Promise<void> {
  const { cloud } = caller;
  const { client } = await caller.temporal();
  const of = { cloud, operation: null, subject: null, runbook: order.runbook, host: null };
  const make = (attributes: ReturnType<typeof searchAttributesOf> | null) =>
    client.schedule.create(scheduleOptions(order, { cloud, queue, attributes }));
  await told(caller, order.schedule, () =>
    make(searchAttributesOf(of)).catch((error: unknown) => {
      if (isUnknownAttribute(error)) return make(null);
      if (grpcCode(error) !== INVALID_ARGUMENT) throw error;
      throw new DroverError(
        'InvalidInput',
        `Temporal refuses the schedule ${order.schedule}: ${String(error)}`,
        {
          cause: error,
        },
      );
    }),
  );
}

function checked(given: Record<string, unknown>): ScheduleTrigger {
  const { value, issues } = checkSchema(scheduleSchema, given);
  const trigger = value as ScheduleTrigger;
  const found: readonly { path: string; message: string }[] =
    issues.length > 0
      ? issues.map(({ path, message }) => ({ path: pathText(path), message }))
      : scheduleProblems(trigger).map(({ key, message }) => ({ path: key, message }));
  if (found.length === 0) return trigger;
  const lines = found.map(({ path, message }) => `${path}${path === '' ? '' : ': '}${message}`);
  throw new DroverError('InvalidInput', lines.join('\n'), { details: { issues: found } });
}

/** No more times come; a run that goes on goes on. */
export const pauseSchedule = (
  caller: Caller,
  name: string,
  comment: string | null,
): Promise<{ said: string }> =>
  change(caller, 'pause', name, { may: mayOperate, comment }, async (handle) => {
    await handle.pause(`paused by ${caller.identity.name}${comment === null ? '' : `: ${comment}`}`);
    return { said: `the schedule ${name} is paused` };
  });

export const resumeSchedule = (
  caller: Caller,
  name: string,
  comment: string | null,
): Promise<{ said: string }> =>
  change(caller, 'resume', name, { may: mayOperate, comment }, async (handle) => {
    await handle.unpause(`resumed by ${caller.identity.name}${comment === null ? '' : `: ${comment}`}`);
    return { said: `the schedule ${name} goes on` };
  });

/** Throws WrongState outside of its window, RunBusy where its run still goes on and another is not to begin. */
export const triggerSchedule = (
  caller: Caller,
  name: string,
  folders: readonly string[],
): Promise<{ said: string }> =>
  change(caller, 'trigger', name, { may: mayChange }, async (handle) => {
    const { action, info } = await handle.describe();
    const [{ runbook, trigger }] = action.args as unknown as [ScheduledOrder];
    mayRun(caller, await loadRunbook(runbook, folders, runbookCatalogue()));
    const { window, timezone, overlap } = trigger;
    const now = new Date(caller.inventory.clock.now());
    if (window && !isOpen(window, timezone, now))
      throw new DroverError(
        'WrongState',
        `the schedule ${name} runs within its window, ${windowText(window, timezone)}; it is ${wallText(timezone, now)}`,
        { hint: `\`drover runbook run ${runbook}\` runs it at any time` },
      );
    if (overlap === 'skip' && info.runningActions.length > 0)
      throw new DroverError('RunBusy', `the run that the schedule ${name} started last still goes on`, {
        hint: 'wait for it: with overlap skip there is no second',
      });
    await handle.trigger();
    return { said: `the schedule ${name} begins now; see \`drover schedule show ${name}\`` };
  });

/** Only of those that people made. */
export const deleteSchedule = (caller: Caller, name: string): Promise<{ said: string }> =>
  change(caller, 'delete', name, { may: mayRemove }, async (handle) => {
    const [runbook] = name.split('.');
    if (name.includes('.'))
      throw new DroverError('WrongState', `the schedule ${name} is in the file of the runbook ${runbook}`, {
        hint: `take it out of \`on\` there, or \`drover schedule pause ${name}\``,
      });
    await handle.delete();
    return { said: `the schedule ${name} is removed` };
  });

const mayRemove = (caller: Caller): void => mayAnswer(caller, 'remove schedules');

async function change<T>(
  caller: Caller,
  action: string,
  name: string,
  { may, ...details }: { may: (caller: Caller) => void; comment?: string | null },
  work: (handle: ScheduleHandle) => Promise<T>,
): Promise<T> {
  return recorded(caller, { action: `schedule.${action}`, subject: name, details }, async () => {
    // Before anything is looked up.
    may(caller);
    const { client } = await caller.temporal();
    return told(caller, name, () => work(client.schedule.getHandle(scheduleId(caller.cloud, name))));
  });
}

async function told<T>(caller: Caller, name: string, work: () => Promise<T>): Promise<T> {
  // Temporal has other words for what is no name at all.
  if (!/^[a-z][a-z0-9-]{0,62}(\.[a-z][a-z0-9-]{0,62})?$/.test(name)) throw noSchedule(name);
  const { client } = await caller.temporal();
  try {
    return await client.withDeadline(Date.now() + 10_000, work);
  } catch (cause) {
    if (cause instanceof ScheduleNotFoundError) throw noSchedule(name, cause);
    if (cause instanceof ScheduleAlreadyRunning)
      throw new DroverError('AlreadyExists', `there is a schedule "${name}" already`, {
        hint: 'choose another name, or remove that one first',
        cause,
      });
    throw asDroverError(cause, `the schedule ${name}`);
  }
}

const noSchedule = (name: string, cause?: unknown): DroverError =>
  new DroverError('NotFound', `there is no schedule "${name}"`, {
    hint: 'see `drover schedule list`',
    cause,
  });
