import { expect, it } from 'vitest';
import { timelineOf } from '../../../bench/timeline.js';

const at = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 });

/** An activity from `ms` on: it waits 2 ms for a worker, which takes 10. */
const activity = (eventId: number, ms: number, name: string) => [
  { eventId, eventTime: at(ms), activityTaskScheduledEventAttributes: { activityType: { name } } },
  { eventId: eventId + 1, eventTime: at(ms + 2) },
  {
    eventId: eventId + 2,
    eventTime: at(ms + 12),
    activityTaskCompletedEventAttributes: { scheduledEventId: eventId, startedEventId: eventId + 1 },
  },
];
const task = (eventId: number, ms: number) => [
  { eventId, eventTime: at(ms) },
  { eventId: eventId + 1, eventTime: at(ms + 1) },
  {
    eventId: eventId + 2,
    eventTime: at(ms + 5),
    workflowTaskCompletedEventAttributes: { scheduledEventId: eventId, startedEventId: eventId + 1 },
  },
];
type Events = Parameters<typeof timelineOf>[1];
const steps = ['beginOperation', 'claimHost', 'diskFacts', 'defineEvacuated', 'startEvacuated', 'commit'];
const evacuation = (from: number) =>
  [
    { eventId: 1, eventTime: at(from) },
    ...task(2, from),
    ...[...steps, 'finishOperation'].flatMap((name, index) =>
      activity(5 + 3 * index, from + 20 * (index + 1), name),
    ),
  ] as unknown as Events;

it('splits the way from the evidence to a guest that runs by what was reached, and by what was waited for', () => {
  const asked = (ms: number, workflowId: string) => ({
    eventTime: at(ms),
    startChildWorkflowExecutionInitiatedEventAttributes: { workflowId },
  });
  const recovery = [
    ...activity(1, 1000, 'casualties'),
    asked(1020, 'a'),
    asked(1020, 'b'),
  ] as unknown as Events;
  const told = timelineOf(1000, recovery, [
    { id: 'a', events: evacuation(1030) },
    { id: 'b', events: evacuation(1050) },
  ]);
  expect(told.running).toEqual({ first: 142, last: 162 });
  expect(told.steps).toEqual({
    planned: 12,
    'child asked for': 8,
    'child started': 20,
    'its first task': 5,
    begun: 27,
    claimed: 20,
    'disk proven': 20,
    defined: 20,
    started: 20,
    committed: 20,
    closed: 20,
  });
  expect(told.spent).toMatchObject({ 'tasks wait': 1, tasks: 4, 'activities wait': 14, claimHost: 10 });
  expect(told.counts).toEqual({
    activities: 7,
    'workflow tasks': 1,
    events: 25,
    'events of the recovery': 5,
    'children of the recovery': 2,
  });
});
