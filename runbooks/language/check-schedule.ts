/** Checks the times of `on.schedule`: what Temporal would refuse, or never do, is found before. */
import type { FileIssue } from '../../config/issues.js';
import { cronProblem } from '../../model/cron.js';
import { parseDuration } from '../../model/duration.js';
import { timeZoneProblem } from '../../model/time-zone.js';
import type { ScheduleTrigger } from '../../model/triggers.js';
import type { Issues } from './check-with.js';

export interface ScheduleProblem {
  key: 'cron' | 'every' | 'timezone' | 'catch-up' | 'window';
  message: string;
  hint?: string;
  /** Characters into the text. */
  offset?: number;
}

/** Also for schedules that people make. */
export function scheduleProblems(trigger: ScheduleTrigger): ScheduleProblem[] {
  const { cron, every, timezone, window, 'catch-up': catchUp } = trigger;
  const problems: ScheduleProblem[] = [];
  const wrongCron = cron === undefined ? undefined : cronProblem(cron);
  if (wrongCron) problems.push({ key: 'cron', ...wrongCron });
  if (every !== undefined && (parseDuration(every) ?? 0) < 1)
    problems.push({ key: 'every', message: `must be at least 1s, not ${every}` });
  const wrongZone = timeZoneProblem(timezone);
  if (wrongZone !== undefined) problems.push({ key: 'timezone', message: wrongZone });
  if ((parseDuration(catchUp) ?? 0) < 10)
    problems.push({ key: 'catch-up', message: `must be at least 10s, not ${catchUp}` });
  if (window && window.from === window.to && window.days === undefined)
    problems.push({
      key: 'window',
      message: `is always open: it begins and ends at ${window.from}`,
      hint: 'leave it out, or correct one of the two',
    });
  return problems;
}

export function checkSchedules(schedules: readonly ScheduleTrigger[], file: Issues): FileIssue[] {
  return schedules.flatMap((schedule, place) => {
    const path = ['on', 'schedule', place];
    const issues = scheduleProblems(schedule).map(({ key, message, ...rest }) =>
      file.issue([...path, key], message, rest),
    );
    if (schedules.findIndex(({ name }) => name === schedule.name) === place) return issues;
    return [
      ...issues,
      file.issue([...path, 'name'], `another schedule has the name "${schedule.name}" already`),
    ];
  });
}
