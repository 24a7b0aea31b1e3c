import type { HostRef } from '../../model/host.js';
import { DroverError } from '../../model/errors.js';
import type { Owner } from '../../model/operation.js';
import { isFenced } from './fenced.js';
import { refuseStale } from './guard.js';
import type { GuestView, Hypervisor } from './port.js';

/** One host's answer about the guest; null for a host that did not answer, with its error. */
export type Side =
  { answered: true; view: GuestView | null; fenced?: true } | { answered: false; error: DroverError };
export interface Sides {
  source: Side;
  target: Side;
}

/**
 * Where a guest is, of what both hosts say.
 * - `arrived`: it lives on the target and not on the source. `stayed`: the reverse.
 * - `landed-off`: only the target knows it, and it is off there: it moved and was shut down.
 * - `post-copy`: it was switched over before all of its memory was there: the two halves are one guest.
 * - `moving`: one side has it half. `off`: the source has it, shut off. `nowhere`, `both`, `unknown`.
 */
export type Verdict =
  'arrived' | 'stayed' | 'landed-off' | 'moving' | 'post-copy' | 'off' | 'nowhere' | 'both' | 'unknown';

type Presence = 'alive' | 'half' | 'off' | 'absent';

function presence(view: GuestView | null): Presence {
  if (view === null) return 'absent';
  switch (view.power) {
    case 'absent':
      return 'absent';
    case 'running':
    case 'paused':
      return 'alive';
    case 'migrating':
    case 'unknown':
      return 'half';
    case 'shutoff':
    case 'crashed':
      return 'off';
    default:
      return view.power satisfies never;
  }
}

/** A guest that runs is on neither side's word alone: as long as one host is silent nothing is decided. */
export function judge({ source, target }: Sides): Verdict {
  // Told by either side alone: nothing may be aborted or resumed then, whatever the other one is.
  if ([source, target].some((side) => side.answered && side.view !== null && side.view.postCopy !== null))
    return 'post-copy';
  if (!source.answered || !target.answered) return 'unknown';
  const from = presence(source.view);
  const to = presence(target.view);
  if (from === 'alive' && to === 'alive') return 'both';
  if (from === 'half' || to === 'half') return 'moving';
  if (to === 'alive') return 'arrived';
  if (from === 'alive') return 'stayed';
  if (from === 'off') return 'off';
  return to === 'off' ? 'landed-off' : 'nowhere';
}

/**
 * The source has the guest alive, and the target does not answer, or still has what came in half; or it stands still on
 * the source for the switch-over, and the target knows nothing of it.
 */
export function isKept({ source, target }: Sides): boolean {
  if (!source.answered) return false;
  const from = presence(source.view);
  if (!target.answered) return from === 'alive';
  const to = presence(target.view);
  return (from === 'alive' && to === 'half') || (from === 'half' && to === 'absent');
}

export async function lookAt(hypervisor: Hypervisor, host: HostRef, id: string): Promise<Side> {
  try {
    return { answered: true, view: await hypervisor.look(host, id) };
  } catch (error) {
    // What is proven to run nothing is no silence, from which nothing could be concluded.
    if (isFenced(error)) return { answered: true, view: null, fenced: true };
    if (error instanceof DroverError) return { answered: false, error };
    throw error;
  }
}

export async function lookAtBoth(
  hypervisor: Hypervisor,
  move: { source: HostRef; target: HostRef; instance: string },
): Promise<Sides> {
  const [source, target] = await Promise.all([
    lookAt(hypervisor, move.source, move.instance),
    lookAt(hypervisor, move.target, move.instance),
  ]);
  return { source, target };
}

/** Before anything of a guest is aborted or begun: a newer operation's work must not be hit. */
export function refuseStaleSides(sides: Sides, owner: Owner): void {
  for (const side of [sides.source, sides.target]) {
    if (side.answered && side.view !== null) refuseStale(side.view, owner);
  }
}

/** `host1: running (booted), host2: does not answer (…)`, for messages and records. */
export function tell(move: { source: HostRef; target: HostRef }, sides: Sides): string {
  const one = (host: HostRef, side: Side): string => {
    if (!side.answered) return `${host.name}: no answer (${side.error.message})`;
    if (side.fenced) return `${host.name}: fenced`;
    if (side.view === null) return `${host.name}: not there`;
    return `${host.name}: ${side.view.power}${side.view.reason === '' ? '' : ` (${side.view.reason})`}`;
  };
  return `${one(move.source, sides.source)}; ${one(move.target, sides.target)}`;
}

export function guestLost(
  move: { name: string; source: HostRef; target: HostRef },
  sides: Sides,
  what: string,
): DroverError {
  const seen = tell(move, sides);
  return new DroverError('GuestLost', `${move.name} ${what}. Seen: ${seen}`, {
    details: { source: move.source.name, target: move.target.name, seen },
  });
}

export function outOfReach(
  move: { name: string; source: HostRef; target: HostRef },
  sides: Sides,
): DroverError {
  const seen = tell(move, sides);
  const { name, source, target } = move;
  const message = isKept(sides)
    ? `${name} runs on ${source.name}; whether anything of it is left on ${target.name} can't be told while that does not answer. Seen: ${seen}`
    : `it can't be told where ${name} is while a host does not answer. Seen: ${seen}`;
  return new DroverError('HypervisorUnreachable', message, {
    details: { source: move.source.name, target: move.target.name, seen },
  });
}
