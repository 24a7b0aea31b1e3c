/** What a schedule's time comes to: looked at when it has come, recorded as every start of a run is. */
import { DroverError } from '../model/errors.js';
import { permitsRun } from '../model/permissions.js';
import type { FrozenRunbook } from '../model/runbook.js';
import type { PreparedSchedule, ScheduledOrder } from '../model/schedule.js';
import { isOpen, wallText, windowText } from '../model/window.js';
import type { Inventory } from './inventory/database.js';
import { requireInputs } from './inventory/run-inputs.js';
import { appendTrail, listTrail } from './inventory/trail.js';
import type { Implement, ScheduleActivities } from './types.js';

interface ScheduleDeps {
  inventory: Inventory;
  /** Loads, checks and freezes the runbook, with the inputs of that time. Throws NotFound, InvalidRunbook, InvalidInput. */
  load: (
    order: { runbook: string; inputs: Record<string, unknown> },
    schedule: { name: string; time: string },
  ) => Promise<{ plan: FrozenRunbook; inputs: Record<string, unknown> }>;
}

export function createScheduleActivities(deps: ScheduleDeps): Implement<ScheduleActivities> {
  const { inventory } = deps;
  return {
    async prepareScheduledRun({ order, time, run }) {
      const note = (outcome: string, digest?: string): Promise<void> =>
        record(inventory, order, { outcome, details: { run, time, ...(digest ? { digest } : {}) } });
      try {
        const prepared = await prepare(deps, order, time);
        // A time at which nothing is begun changes nothing.
        if ('plan' in prepared) await note('done', prepared.plan.digest);
        return prepared;
      } catch (error) {
        if (error instanceof DroverError && !error.retryable) await note(error.code);
        throw error;
      }
    },
  };
}

async function prepare(
  { inventory, load }: ScheduleDeps,
  { schedule, runbook, trigger, by }: ScheduledOrder,
  time: string,
): Promise<PreparedSchedule> {
  const { window, timezone, inputs: given } = trigger;
  // What counts is when the work would be done: a time that is made up for may be late.
  const now = new Date(inventory.clock.now());
  if (window && !isOpen(window, timezone, now)) {
    const open = windowText(window, timezone);
    return { skipped: `outside of its window: that is ${open}, and it is ${wallText(timezone, now)}` };
  }
  const { plan, inputs } = await load({ runbook, inputs: given }, { name: schedule, time });
  const { permissions } = plan.runbook;
  // A runbook permits its own schedules by carrying them.
  if (by !== null && !permitsRun(permissions, by))
    throw new DroverError(
      'PermissionDenied',
      `the runbook ${runbook} may be started by ${permissions?.run.join(', ')}, not by ${by.name} (${by.role}), who made the schedule`,
      { hint: 'one of them makes the schedule anew, or permissions.run of the runbook is changed' },
    );
  for (const { name, maintenance } of await requireInputs(inventory, plan.runbook, inputs)) {
    if (maintenance === null || Date.parse(maintenance.until) <= now.getTime()) continue;
    const { by: who, reason, until } = maintenance;
    return { skipped: `${name} is in maintenance until ${until}, by ${who}: ${reason}` };
  }
  return { plan, inputs };
}

/** Once, however often the step is tried. */
async function record(
  inventory: Inventory,
  { schedule, runbook }: ScheduledOrder,
  { outcome, details }: { outcome: string; details: { run: string } & Record<string, unknown> },
): Promise<void> {
  const by = `schedule ${schedule}`;
  const before = await listTrail(inventory, { by, subject: runbook, limit: 20 });
  if (before.some((line) => line.details.includes(details.run))) return;
  await appendTrail(inventory, {
    by,
    role: 'automation',
    via: 'schedule',
    action: 'run.start',
    subject: runbook,
    outcome,
    details,
  });
}
