/** Schedules as Temporal keeps them, and what came of their times. */
import type { Request } from './operation.js';
import type { FrozenRunbook } from './runbook.js';
import type { ScheduleTrigger } from './triggers.js';

/** What a schedule starts its workflow with. */
export interface ScheduledOrder {
  /** Of the schedule: `rolling-reboot.weekly` of a runbook's own, `night` of a person's. */
  schedule: string;
  /** By name: which text of it runs is decided at each time. */
  runbook: string;
  trigger: ScheduleTrigger;
  /** The person who made it; null for a runbook's own. */
  by: { name: string; role: Request['role'] } | null;
}

/** What is to be done at one of its times. */
export type PreparedSchedule = { skipped: string } | { plan: FrozenRunbook; inputs: Record<string, unknown> };

/** What came of it. A run that failed is a workflow that failed. */
export type ScheduledAnswer = { skipped: string } | { run: string };

/** The name of a schedule that a runbook has in its `on`; names of persons' have no dot. */
export const ownScheduleName = (runbook: string, name: string): string => `${runbook}.${name}`;
