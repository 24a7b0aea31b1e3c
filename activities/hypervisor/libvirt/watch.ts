import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { HostRef } from '../../../model/host.js';
import type { GuestEvent } from '../port.js';
import { toDroverError } from './errors.js';
import { nameGuests } from './view.js';
import { connectArgs, virshEnv, type Virsh } from './virsh.js';

/** A client whose worker was killed ends by itself after so long; one that is still wanted is started again. */
const ROUND_SECONDS = 600;

/** Follows `virsh event`, one client after the other. */
export async function watchGuests(
  virsh: Virsh,
  host: HostRef,
  tell: (event: GuestEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) await watchOnce(virsh, host, tell, signal);
}

async function watchOnce(
  virsh: Virsh,
  host: HostRef,
  tell: (event: GuestEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const begun = Date.now();
  const args = ['event', '--event', 'lifecycle', '--loop', '--timestamp'];
  const client = execa(
    virsh.file,
    [...connectArgs(host), ...args, '--timeout', String(ROUND_SECONDS)],
    // Its own session, as for every client of ours (virsh.ts); its end is ours to see to.
    { env: virshEnv, stdin: 'ignore', detached: true, reject: false, buffer: { stdout: false } },
  );
  const kill = () => void client.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    // One after the other: who a name was is asked before what came next.
    for await (const line of createInterface({ input: client.stdout })) {
      const heard = parseEvent(line);
      if (heard === null) continue;
      const known = await nameGuests(virsh, host);
      const guest = known.find(({ name }) => name === heard.name);
      // Without a definition it is gone with its end: none of ours.
      if (guest !== undefined)
        tell({ at: new Date().toISOString(), id: guest.id, event: heard.event, detail: heard.detail });
    }
    const result = await client;
    const overdue = Date.now() - begun >= (ROUND_SECONDS - 5) * 1000;
    if (result.failed && !signal.aborted && !overdue)
      throw toDroverError(host, result.stderr || (result.originalMessage ?? ''));
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

/** It stands still, and nothing of libvirt's own (a switch-over, a snapshot) is the reason. */
const standstills = new Set(['Paused', 'I/O Error', 'Watchdog', 'API error', 'Post-copy Error']);

/** `2026-11-22 22:39:05.744+0000: event 'lifecycle' for domain 'web-1': Stopped Failed`; null for all that is no end. */
export function parseEvent(line: string): (Pick<GuestEvent, 'event' | 'detail'> & { name: string }) | null {
  const [, name, detail] = /^\S+ \S+: event 'lifecycle' for domain '(.*)': (.+)$/.exec(line) ?? [];
  if (name === undefined || detail === undefined) return null;
  const space = detail.indexOf(' ');
  const [what, why] = space < 0 ? [detail, ''] : [detail.slice(0, space), detail.slice(space + 1)];
  if (what === 'Stopped' || what === 'Crashed') return { name, event: 'stopped', detail };
  return what === 'Suspended' && standstills.has(why) ? { name, event: 'paused', detail } : null;
}
