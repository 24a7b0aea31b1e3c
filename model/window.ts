/** Maintenance windows, by the clock on the wall of their time zone. */
import type { MaintenanceWindow } from './triggers.js';

const week = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
type Day = (typeof week)[number];

/**
 * Whether it is open. What the wall clock says counts: an hour that summer time skips is not there, one that comes twice is
 * inside twice. `days` are those on which it opens: past midnight it belongs to the day before.
 */
export function isOpen({ days = [...week], from, to }: MaintenanceWindow, zone: string, at: Date): boolean {
  const { day, time } = wallClock(zone, at);
  if (from < to) return days.includes(day) && from <= time && time < to;
  return (days.includes(day) && from <= time) || (days.includes(dayBefore(day)) && time < to);
}

/** `sat, sun 22:00 to 04:00 Europe/Berlin`. */
export const windowText = ({ days, from, to }: MaintenanceWindow, zone: string): string =>
  `${days === undefined ? '' : `${days.join(', ')} `}${from} to ${to} ${zone}`;

/** `sun 23:10`. */
export function wallText(zone: string, at: Date): string {
  const { day, time } = wallClock(zone, at);
  return `${day} ${time}`;
}

const dayBefore = (day: Day): Day => week[(week.indexOf(day) + 6) % 7] ?? day;

function wallClock(zone: string, at: Date): { day: Day; time: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const named = parts.get('weekday')?.toLowerCase();
  const day = week.find((one) => one === named) ?? 'sun';
  return { day, time: `${parts.get('hour')}:${parts.get('minute')}` };
}
