/** Small texts that several commands print. */
import type { MovePolicy } from '../model/instance.js';

/** `(12s)`: how long ago `begun` (milliseconds since the epoch) is. */
export const sinceText = (begun: number): string => `(${secondsText((Date.now() - begun) / 1000)})`;

/** `9.5s`, `2m5s`, `1h30m`. */
export function secondsText(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.round(seconds)}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}m${Math.round(seconds % 60)}s`
    : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}

/** How long something took, or has taken so far. */
export const spanText = (startedAt: string, endedAt: string | null): string =>
  secondsText(
    Math.max(0, (endedAt === null ? Date.now() : Date.parse(endedAt)) - Date.parse(startedAt)) / 1000,
  );

/** What an operation answered, for people: `host1 -> host2, shared, downtime 43 ms`. */
export function describeResult(result: unknown): string {
  if (typeof result !== 'object' || result === null) return '';
  // What a host was before is for a runbook's undo, not for people.
  if ('was' in result) return 'note' in result ? text(result.note) : '';
  // A recovery tells itself.
  if ('incident' in result && 'says' in result) return text(result.says);
  const { from, to, ...rest } = result as Record<string, unknown>;
  const move = typeof from === 'string' && typeof to === 'string' ? [`${from} -> ${to}`] : [];
  return [...move, ...Object.entries(rest).flatMap(([key, value]) => one(key, value))].join(', ');
}

function one(key: string, value: unknown): string[] {
  if (value === null || value === undefined || value === false) return [];
  if (key === 'host') return [`on ${text(value)}`];
  if (key === 'storage') return [`${text(value)} storage`];
  if (key === 'vcpus') return [`${text(value)} vCPUs`];
  if (key === 'memoryMiB') return [`${text(value)} MiB`];
  if (key === 'offMs') return [`off for ${secondsText(Number(value) / 1000)}`];
  if (key === 'confirmsAt') return [`confirms itself at ${text(value)}`];
  // Of a confirmed resize: the place that it gave up.
  if (key === 'left' && typeof value === 'string') return [`the old place on ${value} is free`];
  if (key === 'movePolicy') return [`moves: ${movesText(value as MovePolicy)}`];
  if (key === 'restartPolicy') return [`restart: ${text(value)}`];
  if (key === 'haPolicy') return [`ha: ${text(value)}`];
  if (key === 'downtimeMs') return [`downtime ${text(value)} ms`];
  if (key === 'totalMs') return [`took ${text(value)} ms`];
  if (key === 'transferredBytes') return [`${bytesText(Number(value))} copied`];
  if (key === 'forced') return ['by force'];
  if (key === 'note' || key === 'told') return [text(value)];
  if (Array.isArray(value)) return value.length === 0 ? [] : [`${words(key)} ${value.map(text).join(', ')}`];
  return [`${words(key)} ${text(value)}`];
}

/** As `set-policy` takes them. */
export function movesText({ downtimeMs, autoConverge, postCopy, pauseMs, cold }: MovePolicy): string {
  const allowed = [
    ...(autoConverge ? ['auto-converge'] : []),
    ...(postCopy ? ['post-copy'] : []),
    ...(pauseMs > 0 ? [`pause=${pauseMs}ms`] : []),
    ...(cold === 'allow' ? ['cold'] : []),
  ];
  return `downtime at most ${downtimeMs} ms${allowed.length > 0 ? `, allows ${allowed.join(', ')}` : ''}`;
}

const words = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** `1 disk`, `2 disks`. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** Identifiers in tables: enough of them to be found by. */
export const shortId = (id: string): string => id.slice(0, 8);
