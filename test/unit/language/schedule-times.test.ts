/** Cron, time zones and windows: what is refused, and when a window is open. */
import { describe, expect, test } from 'vitest';
import { cronProblem } from '../../../model/cron.js';
import { timeZoneProblem } from '../../../model/time-zone.js';
import { isOpen } from '../../../model/window.js';

describe('cron', () => {
  // Each was given to a Temporal server, which took it.
  test.each([
    '0 3 * * sun',
    '0 3 * * 0-7',
    '*/7 * * * *',
    '5/10 * * * *',
    '1-10/3 2,4 1-5 jan-mar mon-fri',
    '0 0 29 2 *',
    ' 00  03 * * SUN ',
    '0 0 30,31 2,4 *',
  ])('takes "%s"', (text) => expect(cronProblem(text)).toBeUndefined());

  test.each([
    ['0 0 * *', 'must have five fields, not 4', 0],
    ['@daily', 'must have five fields, not 1', 0],
    ['0 0 * * * 2030', 'must have five fields, not 6', 0],
    ['60 * * * *', 'the minute "60" must be of 0 to 59', 0],
    ['0 24 * * *', 'the hour "24" must be of 0 to 23', 2],
    ['0 0 0 * *', 'the day of the month "0" must be of 1 to 31', 4],
    ['0 0 * 13 *', 'the month "13" must be of 1 to 12, or jan', 6],
    ['0 0 * * 8', 'the day of the week "8" must be of 0 to 7, or sun', 8],
    ['0 0 * * sunday', 'the day of the week "sunday" must be', 8],
    ['0 0 * * fri-sun', 'ends before it begins', 8],
    ['10-5 * * * *', 'ends before it begins', 0],
    ['*/0 * * * *', 'must have a step from 1 to 59', 0],
    ['*/100 * * * *', 'must have a step from 1 to 59', 0],
    ['0 0 * * mon#1', 'must be *, a value, a range', 8],
    ['0 0 L * *', 'the day of the month "L" must be of', 4],
    ['? * * * *', 'must be *, a value, a range', 0],
    ['1,,2 * * * *', 'the minute "" must be', 0],
    ['*-5 * * * *', 'must be *, a value, a range', 0],
    ['1-2-3 * * * *', 'must be *, a value, a range', 0],
    ['0 0 30 2 *', 'the day 30 never comes in month 2', 0],
    ['0 0 31 4,jun *', 'the day 31 never comes in month 4,jun', 0],
  ])('refuses "%s"', (text, message, offset) => {
    expect(cronProblem(text)).toMatchObject({ message: expect.stringContaining(message), offset });
  });
});

describe('time zones', () => {
  test.each([
    'UTC',
    'Europe/Berlin',
    'Asia/Kolkata',
    'Europe/Kyiv',
    'America/Port_of_Spain',
    'Etc/GMT+5',
    'CET',
  ])('takes %s', (zone) => expect(timeZoneProblem(zone)).toBeUndefined());
  test.each(['europe/berlin', 'utc', '+01:00', 'Nowhere/X', 'Europe', '', 'Local', 'asia/kolkata'])(
    'refuses "%s", as Temporal would',
    (zone) => expect(timeZoneProblem(zone)).toContain('must be a name of the IANA database'),
  );
  test('tells the right one', () =>
    expect(timeZoneProblem('europe/berlin')).toContain('write Europe/Berlin'));
});

describe('a window', () => {
  const open = (window: Parameters<typeof isOpen>[0], at: string, zone = 'UTC') =>
    isOpen(window, zone, new Date(at));

  test('of a day begins with its first minute and ends before its last', () => {
    const noon = { from: '12:00', to: '14:00' };
    expect(open(noon, '2026-11-23T11:59:59Z')).toBe(false);
    expect(open(noon, '2026-11-23T12:00:00Z')).toBe(true);
    expect(open(noon, '2026-11-23T13:59:59Z')).toBe(true);
    expect(open(noon, '2026-11-23T14:00:00Z')).toBe(false);
  });

  test('across midnight belongs to the day on which it opens', () => {
    const night = { days: ['sat' as const], from: '22:00', to: '04:00' };
    expect(open(night, '2026-11-28T21:59:00Z')).toBe(false); // Saturday
    expect(open(night, '2026-11-28T22:00:00Z')).toBe(true);
    expect(open(night, '2026-11-29T03:59:00Z')).toBe(true); // Sunday
    expect(open(night, '2026-11-29T04:00:00Z')).toBe(false);
    expect(open(night, '2026-11-29T22:30:00Z')).toBe(false);
    expect(open(night, '2026-11-28T03:00:00Z')).toBe(false);
    const sunday = { ...night, days: ['sun' as const] };
    expect(open(sunday, '2026-11-30T01:00:00Z')).toBe(true); // Monday
    expect(open({ ...night, from: '04:00' }, '2026-11-29T03:00:00Z')).toBe(true); // a whole day
  });

  test('goes by the clock of its zone, in winter and in summer', () => {
    const night = { days: ['mon' as const], from: '02:00', to: '04:00' };
    expect(open(night, '2026-01-05T01:30:00Z', 'Europe/Berlin')).toBe(true);
    expect(open(night, '2026-07-06T01:30:00Z', 'Europe/Berlin')).toBe(true);
    expect(open(night, '2026-07-06T02:30:00Z', 'Europe/Berlin')).toBe(false);
    expect(open(night, '2026-01-04T12:30:00Z', 'Pacific/Kiritimati')).toBe(true); // Monday there
  });

  test('in the night of summer time loses an hour, and in that of winter time has it twice', () => {
    const hour = { from: '02:00', to: '03:00' };
    const inside = (day: string) =>
      Array.from({ length: 16 }, (_, quarter) => new Date(Date.parse(day) + quarter * 900_000)).filter((at) =>
        isOpen(hour, 'Europe/Berlin', at),
      ).length / 4;
    expect(inside('2026-03-28T23:00:00Z')).toBe(0);
    expect(inside('2026-10-24T23:00:00Z')).toBe(2);
    expect(inside('2026-10-25T23:00:00Z')).toBe(1);
  });
});
