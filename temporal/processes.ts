/**
 * Processes by pid and start time. A pid alone is not enough to end a process by: after a crash or a reboot
 * the number may belong to something else. Both together name one process.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProcessId {
  readonly pid: number;
  readonly startTime: string;
}

/** The start time of a living process, comparable only with itself; undefined when there is none (or a zombie). */
export function processStart(pid: number): string | undefined {
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

export function thisProcess(): ProcessId {
  return identify(process.pid);
}

/** A process that has ended already gets an empty start time, which no living one has. */
export function identify(pid: number): ProcessId {
  return { pid, startTime: processStart(pid) ?? '' };
}

export function isAlive(id: ProcessId): boolean {
  return id.startTime !== '' && processStart(id.pid) === id.startTime;
}

/** SIGTERM, then SIGKILL after `graceMs` or as soon as `hurry` aborts. Never signals another process. */
export async function endProcess(
  id: ProcessId,
  { graceMs, hurry }: { graceMs: number; hurry?: AbortSignal },
): Promise<'was gone' | 'ended' | 'killed'> {
  if (!isAlive(id)) return 'was gone';
  signalProcess(id.pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (Date.now() < deadline) {
    if (!isAlive(id)) return 'ended';
    if (hurry?.aborted === true) break;
    await delay(25);
  }
  if (!isAlive(id)) return 'ended';
  // Our children lead their own group: what a hanging worker started (a disk copy, say) goes with it.
  signalProcess(-id.pid, 'SIGKILL');
  signalProcess(id.pid, 'SIGKILL');
  while (isAlive(id)) await delay(10);
  return 'killed';
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}

function startFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    // Field 22 counts from boot, so it needs the boot to be unique.
    return `${fields[19] ?? ''}@${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return undefined;
  }
}

function startFromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [state = '', ...start] = line.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}
