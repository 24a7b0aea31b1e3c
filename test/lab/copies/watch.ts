/**
 * Watches all hosts of the lab from outside, ten times a second, by /proc and by the guests' disks: it asks neither
 * drover nor libvirt, and goes on whatever they do.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../../lab/lab.js';
import { diskRecord } from './disk-record.js';
import { createReport, ranTwice, type Report, type Seen } from './report.js';

const everyMs = 100;
/** What is no qemu by then never becomes one: a child of libvirtd is one soon after its birth. */
const settledMs = 30_000;

export type Watcher = ReturnType<typeof watchCopies>;

export function watchCopies(lab: Lab) {
  const report = createReport();
  /** Processes that are none of the lab's guests, by the time at which they were seen first. */
  const others = new Map<string, number>();
  let failed: unknown = null;

  function look(): void {
    const at = performance.now();
    const hosts = hostsOn(lab);
    const namespaces = new Map(hosts.map(({ name, namespace }) => [namespace, name]));
    report.add({ at, copies: copies(namespaces, at), on: hosts.map(({ name }) => name) });
  }

  function copies(namespaces: ReadonlyMap<string, string>, at: number): Seen[] {
    const found: Seen[] = [];
    const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
    for (const pid of others.keys()) if (!pids.includes(pid)) others.delete(pid);
    for (const pid of pids) {
      const since = others.get(pid);
      if (since !== undefined && at - since > settledMs) continue;
      const copy = copyOf(pid, namespaces);
      if (copy !== null) found.push(copy);
      else if (since === undefined) others.set(pid, at);
    }
    return found;
  }

  function copyOf(pid: string, namespaces: ReadonlyMap<string, string>): Seen | null {
    // That of a dead process which nobody has reaped is empty.
    const line = orNothing(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
    const guest = /\0-name\0guest=([^,\0]+)/.exec(line)?.[1];
    const host = guest === undefined ? undefined : namespaces.get(namespaceOf(pid));
    if (guest === undefined || host === undefined) return null;
    return { guest, host, pid: Number(pid), wrote: lastWriter(line, host) };
  }

  function lastWriter(line: string, host: string): string | null {
    const file = /"driver":"file","filename":"([^"]+)"/.exec(line)?.[1];
    if (file === undefined) return null;
    const paths = lab.hostPaths(host);
    const folders = { [lab.sharedDir]: paths.shared, [lab.nasDir]: paths.nas, [lab.imagesDir]: paths.images };
    const [inside, outside] = Object.entries(folders).find(([folder]) => file.startsWith(folder)) ?? ['', ''];
    const record = orNothing(() => diskRecord(join(outside, file.slice(inside.length))));
    return /boot=([0-9a-f]{8})/.exec(record)?.[1] ?? null;
  }

  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      failed ??= error;
    }
  }, everyMs);

  const seen = (): Report => {
    if (failed !== null) throw failed;
    return report.report();
  };
  return {
    seen,
    /** Throws unless it was seen all the time that the guest ran at most once. */
    assertNeverTwice(...names: string[]): void {
      const found = names.flatMap((name) => ranTwice(seen(), name));
      if (found.length > 0) throw new Error(found.join('\n'));
    },
    stop: () => clearInterval(timer),
  };
}

/** Hosts whose PID 1 lives, as lab.sh wrote it down, with its PID namespace. */
function hostsOn(lab: Lab): { name: string; namespace: string }[] {
  const names = readdirSync(join(lab.dir, 'hosts')).filter((name) => /^host\d$/.test(name));
  return names.flatMap((name) => {
    const [pid, started] = orNothing(() => readFileSync(join(lab.hostRoot(name), 'init.pid'), 'utf8'))
      .trim()
      .split(' ');
    const stat = orNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
    // Field 22 tells when it was started: the number may be another process's by now. Z: dead.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === undefined || state === 'Z' || fields[18] !== started
      ? []
      : [{ name, namespace: namespaceOf(pid ?? '') }];
  });
}

const namespaceOf = (pid: string) => orNothing(() => readlinkSync(`/proc/${pid}/ns/pid`));

/** For what may be gone by the time at which it is read, as processes and files are. */
function orNothing(work: () => string): string {
  try {
    return work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
    throw error;
  }
}
