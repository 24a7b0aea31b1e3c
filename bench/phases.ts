import type { WorkflowHandle } from '@temporalio/client';
import { median, round } from './statistics.js';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** Milliseconds by what they went to: activities by name, and what is between and around them. */
export type Phases = Record<string, number>;

const millis = (time: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;

/**
 * Where the `totalMs` of an operation went, whose steps come one after the other. An activity counts from the
 * moment it is scheduled to its end; a name that comes several times is summed up.
 */
export function phasesOf({ events }: History, totalMs: number): Phases {
  const phases: Phases = {};
  const scheduled = new Map<string, { name: string; at: number }>();
  let activities = 0;
  for (const event of events ?? []) {
    const begun = event.activityTaskScheduledEventAttributes;
    if (begun)
      scheduled.set(String(event.eventId), {
        name: begun.activityType?.name ?? '',
        at: millis(event.eventTime),
      });
    const done = event.activityTaskCompletedEventAttributes;
    const from = done && scheduled.get(String(done.scheduledEventId));
    if (!from) continue;
    const took = millis(event.eventTime) - from.at;
    activities += took;
    phases[from.name] = (phases[from.name] ?? 0) + took;
  }
  const ends = millis(events?.at(-1)?.eventTime) - millis(events?.at(0)?.eventTime);
  return { ...phases, 'between activities': ends - activities, 'start and answer': totalMs - ends };
}

/** The median of each over several operations; 0 where one did not have it. */
export function medianPhases(all: readonly Phases[]): Phases {
  const names = new Set(all.flatMap((one) => Object.keys(one)));
  return Object.fromEntries(
    [...names].map((name) => [name, round(median(all.map((one) => one[name] ?? 0)))]),
  );
}
