/** Where the time between the evidence and a guest that runs again goes: of one recovery and its evacuations, by their histories. */
import type { WorkflowHandle } from '@temporalio/client';
import { median, round } from './statistics.js';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type Event = NonNullable<History['events']>[number];

/** What an evacuation has reached, by the activity whose end tells it, in order; what comes between two belongs to the later. */
const reached: readonly [activity: string, mark: string][] = [
  ['beginOperation', 'begun'],
  ['claimHost', 'claimed'],
  ['diskFacts', 'disk proven'],
  ['defineEvacuated', 'defined'],
  ['startEvacuated', 'started'],
  ['commit', 'committed'],
  ['finishOperation', 'closed'],
];

export interface Timeline {
  /** Ms from the evidence until the start of the first and of the last guest had ended. */
  running: { first: number; last: number };
  /** Ms from the mark before, medians; the first is from the evidence. */
  steps: Record<string, number>;
  /** Ms of an evacuation by what they went to, medians. */
  spent: Record<string, number>;
  /** The same on every machine, however busy. */
  counts: Record<string, number>;
}

/** `evidence`: ms since 1970; `evacuations` are those of the recovery, or some of them. */
export function timelineOf(
  evidence: number,
  recovery: readonly Event[],
  evacuations: readonly { id: string; events: readonly Event[] }[],
): Timeline {
  const planned = ends(recovery, 'casualties').at(-1) ?? evidence;
  const asked = new Map(
    recovery.map((event) => [
      event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId,
      at(event),
    ]),
  );
  const marks = evacuations.map(({ id, events }) => [
    evidence,
    planned,
    asked.get(id) ?? planned,
    at(events[0]),
    at(events.find((event) => event.workflowTaskCompletedEventAttributes)),
    ...reached.map(([activity]) => ends(events, activity).at(-1) ?? NaN),
  ]);
  const names = [
    'planned',
    'child asked for',
    'child started',
    'its first task',
    ...reached.map(([, mark]) => mark),
  ];
  const started = evacuations.map(({ events }) => (ends(events, 'startEvacuated').at(-1) ?? NaN) - evidence);
  const all = evacuations.map(({ events }) => spentOn(events));
  const one = evacuations[0]?.events ?? [];
  return {
    running: { first: Math.min(...started), last: Math.max(...started) },
    steps: Object.fromEntries(
      names.map((name, index) => [
        name,
        middle(marks.map((row) => (row[index + 1] ?? 0) - (row[index] ?? 0))),
      ]),
    ),
    spent: Object.fromEntries(
      Object.keys(all[0] ?? {}).map((what) => [what, middle(all.map((each) => each[what] ?? 0))]),
    ),
    counts: {
      activities: count(one, (event) => event.activityTaskScheduledEventAttributes),
      'workflow tasks': count(one, (event) => event.workflowTaskCompletedEventAttributes),
      events: one.length,
      'events of the recovery': recovery.length,
      'children of the recovery': asked.size - 1,
    },
  };
}

/** Waiting for a worker is told apart from working: of activities, and of workflow tasks. */
function spentOn(events: readonly Event[]): Record<string, number> {
  const spent = { 'tasks wait': 0, tasks: 0, 'activities wait': 0 };
  const byName: Record<string, number> = {};
  const byId = new Map(events.map((event) => [String(event.eventId), event]));
  for (const event of events) {
    const task = event.workflowTaskCompletedEventAttributes;
    const done = event.activityTaskCompletedEventAttributes;
    const of = task ?? done;
    if (!of) continue;
    const [scheduled, started] = [of.scheduledEventId, of.startedEventId].map((id) => byId.get(String(id)));
    const [waited, took] = [at(started) - at(scheduled), at(event) - at(started)];
    if (task) {
      spent['tasks wait'] += waited;
      spent.tasks += took;
    } else {
      const name = scheduled?.activityTaskScheduledEventAttributes?.activityType?.name ?? '';
      spent['activities wait'] += waited;
      byName[name] = (byName[name] ?? 0) + took;
    }
  }
  return { ...spent, ...byName };
}

/** When each activity of that name ended. */
function ends(events: readonly Event[], name: string): number[] {
  const scheduled = new Map(
    events.map((event) => [
      String(event.eventId),
      event.activityTaskScheduledEventAttributes?.activityType?.name,
    ]),
  );
  return events
    .filter(({ activityTaskCompletedEventAttributes: done }) => {
      return done && scheduled.get(String(done.scheduledEventId)) === name;
    })
    .map(at);
}

const at = (event: Event | undefined): number =>
  Number(event?.eventTime?.seconds ?? NaN) * 1000 + (event?.eventTime?.nanos ?? 0) / 1e6;

const count = (events: readonly Event[], is: (event: Event) => unknown): number =>
  events.filter((event) => Boolean(is(event))).length;

const middle = (values: readonly number[]): number => round(median(values));
