/**
 * What the platform's own daemons have armed on this host, counted only where silence alone sets it off: a watchdog that is
 * fed as long as the host itself lives proves nothing of one that is merely cut off.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SelfFence } from '../../model/fence-check.js';

/** `root`: where /proc, /sys and /etc are; tests have their own. */
export async function findSelfFence(root = '/'): Promise<SelfFence | null> {
  const running = await processes(root);
  return (await sbd(root, running)) ?? (await watchdog(root, running)) ?? (await sanlock(root, running));
}

/**
 * sbd without a disk feeds the watchdog while its node is in the quorate part of the cluster. With disks (SBD_DEVICE) it
 * goes on while it sees them, so that it proves nothing of a host that is only silent.
 */
async function sbd(root: string, running: ReadonlySet<string>): Promise<SelfFence | null> {
  if (!running.has('sbd')) return null;
  const settings = { ...(await shell(root, 'etc/default/sbd')), ...(await shell(root, 'etc/sysconfig/sbd')) };
  const hardware = await activeWatchdog(root);
  if (hardware === null || (settings['SBD_DEVICE'] ?? '') !== '') return null;
  if (settings['SBD_PACEMAKER'] === 'no' || settings['SBD_PACEMAKER'] === 'false') return null;
  const timeout = Math.max(Number(settings['SBD_WATCHDOG_TIMEOUT'] ?? 5) || 5, hardware);
  // As the cluster's own stonith-watchdog-timeout: twice the watchdog's, since the loss must be noticed first.
  const seconds = 2 * timeout;
  return {
    kind: 'watchdog',
    seconds,
    says: `sbd without a disk: a watchdog of ${timeout} s, fed only while it has quorum`,
  };
}

/** The daemon `watchdog` with `ping`: it stops feeding once none of these addresses answers. */
async function watchdog(root: string, running: ReadonlySet<string>): Promise<SelfFence | null> {
  if (!running.has('watchdog')) return null;
  const text = await maybe(join(root, 'etc/watchdog.conf'));
  const set = (key: string): string[] =>
    [...(text ?? '').matchAll(new RegExp(`^\\s*${key}\\s*=\\s*(\\S+)`, 'gm'))].flatMap(
      ([, value]) => value ?? [],
    );
  const pings = set('ping');
  const hardware = await activeWatchdog(root);
  if (hardware === null || pings.length === 0) return null;
  // It tries again for `retry-timeout` before it gives up, looks every `interval`, and then reboots or is reset.
  const retry = Number(set('retry-timeout')[0] ?? 60) + Number(set('interval')[0] ?? 1);
  return {
    kind: 'watchdog',
    seconds: retry + 2 * hardware,
    says: `watchdog of ${hardware} s, fed while ${pings.join(' or ')} answers a ping, tried for ${retry} s`,
  };
}

/** sanlock as libvirt's lock manager: the disk itself refuses a second writer until the lease has run out. */
async function sanlock(root: string, running: ReadonlySet<string>): Promise<SelfFence | null> {
  if (!running.has('sanlock') || !running.has('wdmd')) return null;
  const qemu = await maybe(join(root, 'etc/libvirt/qemu.conf'));
  if (!/^\s*lock_manager\s*=\s*"sanlock"/m.test(qemu ?? '') || (await activeWatchdog(root)) === null)
    return null;
  const io = Number(
    /^\s*io_timeout\s*=\s*(\d+)/m.exec(
      (await maybe(join(root, 'etc/libvirt/qemu-sanlock.conf'))) ?? '',
    )?.[1] ?? 10,
  );
  // sanlock counts a host for dead after eight times its I/O time limit, and wdmd's watchdog of 60 s.
  const seconds = 8 * io + 60;
  return {
    kind: 'lease',
    seconds,
    says: `sanlock leases on the disks (I/O time limit ${io} s), which no other host gets before`,
  };
}

/** The time limit of a hardware watchdog that counts now, in seconds; the kernel tells. */
async function activeWatchdog(root: string): Promise<number | null> {
  const folder = join(root, 'sys/class/watchdog');
  for (const name of (await readdir(folder).catch(() => [])).toSorted((a, b) => (a < b ? -1 : 1))) {
    if ((await maybe(join(folder, name, 'state')))?.trim() !== 'active') continue;
    const timeout = Number((await maybe(join(folder, name, 'timeout')))?.trim());
    if (timeout > 0) return timeout;
  }
  return null;
}

async function processes(root: string): Promise<Set<string>> {
  const all = await readdir(join(root, 'proc')).catch(() => []);
  const names = await Promise.all(
    all.filter((name) => /^\d+$/.test(name)).map((pid) => maybe(join(root, 'proc', pid, 'comm'))),
  );
  return new Set(names.flatMap((name) => name?.trim() ?? []));
}

async function shell(root: string, file: string): Promise<Record<string, string>> {
  const lines = [...((await maybe(join(root, file))) ?? '').matchAll(/^\s*([A-Z_]+)=["']?([^"'\n]*)["']?/gm)];
  return Object.fromEntries(lines.map(([, key = '', value = '']) => [key, value.trim()]));
}

const maybe = (file: string): Promise<string | null> => readFile(file, 'utf8').catch(() => null);
