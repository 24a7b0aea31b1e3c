import type { HostRef } from '../../../model/host.js';
import type { GuestPower } from '../port.js';
import { powerOf } from './power.js';
import type { Virsh } from './virsh.js';

/** virDomainState of libvirt, in the words of `virsh domstate`. */
const states = ['no state', 'running', 'idle', 'paused', 'in shutdown', 'shut off', 'crashed', 'pmsuspended'];
/** The reasons that make another power of a state, by their numbers: virDomainRunningReason and the like. */
const reasons: Record<string, Record<number, string>> = {
  running: { 10: 'post-copy', 11: 'post-copy failed' },
  paused: { 2: 'migrating', 11: 'starting up', 12: 'post-copy', 13: 'post-copy failed' },
  'shut off': { 3: 'crashed' },
};

/** Two questions for all guests of the host: statistics know them by name alone. */
export async function guestPowers(virsh: Virsh, host: HostRef): Promise<GuestPower[]> {
  const [names, stats] = await virsh.batch(host, ['list --all --uuid --name', 'domstats --state --nowait']);
  const ids = new Map(
    (names ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => [line.slice(line.indexOf(' ')).trim(), line.slice(0, line.indexOf(' '))]),
  );
  return parsePowers(stats ?? '').flatMap(({ name, ...power }) => {
    const id = ids.get(name);
    return id === undefined ? [] : [{ id, ...power }];
  });
}

/** `virsh domstats --state`: a paragraph each guest. */
export function parsePowers(text: string): (Omit<GuestPower, 'id'> & { name: string })[] {
  return text
    .split(/^Domain: /m)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [first = '', ...rest] = part.split('\n');
      const stats = Object.fromEntries(
        rest.map((line) => line.trim().split('=')).map(([key = '', value = '']) => [key, value]),
      );
      const state = states[Number(stats['state.state'])] ?? 'no state';
      const reason = reasons[state]?.[Number(stats['state.reason'])];
      const told = reason === undefined ? state : `${state} (${reason})`;
      return { name: first.trim().replace(/^'(.*)'$/, '$1'), power: powerOf(told) };
    });
}
