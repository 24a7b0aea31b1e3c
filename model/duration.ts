import { z } from 'zod';

const pattern = /^(?=\d)(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;

const error = (issue: { input?: unknown }): string =>
  `must be a length of time with its unit, such as 90s, 10m or 2h, not ${JSON.stringify(issue.input) ?? 'empty'}`;

/** A length of time as people write it: `90s`, `10m`, `2h`, `1h30m`. The units are those that CEL's `duration()` knows. */
export const durationSchema = z
  .string({ error })
  .regex(pattern, { error })
  .describe('A length of time: 90s, 10m, 2h, 1h30m.');

/** Seconds of a duration; undefined when the text isn't one. */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [hours, minutes, seconds] = match.slice(1).map((digits) => Number(digits ?? 0));
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** The shortest text of that many seconds: 5400 → `1h30m`. */
export function formatDuration(totalSeconds: number): string {
  const whole = Math.max(0, Math.round(totalSeconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'h'],
    [Math.floor((whole % 3600) / 60), 'm'],
    [whole % 60, 's'],
  ];
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('') || '0s';
}
