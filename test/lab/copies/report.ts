/**
 * What a watcher of all hosts has seen, and whether any guest ran twice. Pure: what was seen in, findings out.
 * Two qemu processes of one guest at one moment are two copies, whatever libvirt or drover call them; so are two guests
 * that write to one disk by turns.
 */

/** One look at all hosts of the lab. */
export interface Sample {
  /** Milliseconds by a clock that only goes forwards. */
  at: number;
  copies: readonly Seen[];
  /** Hosts that have power. */
  on: readonly string[];
}

export interface Seen {
  guest: string;
  host: string;
  pid: number;
  /** The boot that wrote to the guest's disk last, as the disk says; null where it could not be read. */
  wrote: string | null;
}

/** A qemu process from its first to its last sample. */
export interface Life {
  host: string;
  pid: number;
  from: number;
  to: number;
}

export interface GuestReport {
  lives: Life[];
  /** Times at which more than one process of it was seen. */
  together: { hosts: string[]; from: number; to: number }[];
  /** From one host to the next: how long it was seen on none, and whether the one that it left had power at its start. */
  moves: { from: string; to: string; nowhereMs: number; oldHostOn: boolean }[];
  /** Boots in the order in which they wrote to its disk; one that comes back has a twin. */
  writers: string[];
}

export interface Report {
  samples: number;
  forMs: number;
  /** In the longest time between two samples something may have happened unseen. */
  longestGapMs: number;
  guests: ReadonlyMap<string, GuestReport>;
}

export function createReport() {
  const guests = new Map<string, GuestReport>();
  let samples = 0;
  let first = 0;
  let last = 0;
  let longestGapMs = 0;

  function add(sample: Sample): void {
    if (samples === 0) first = sample.at;
    else longestGapMs = Math.max(longestGapMs, sample.at - last);
    const before = last;
    samples += 1;
    last = sample.at;
    for (const name of new Set(sample.copies.map(({ guest }) => guest))) {
      const guest = guests.get(name) ?? { lives: [], together: [], moves: [], writers: [] };
      guests.set(name, guest);
      const here = sample.copies.filter((copy) => copy.guest === name);
      for (const copy of here) see(guest, copy, sample, before);
      if (here.length > 1) addTogether(guest, here, sample.at, before);
    }
  }

  return { add, report: (): Report => ({ samples, forMs: last - first, longestGapMs, guests }) };
}

function see(guest: GuestReport, copy: Seen, { at, on }: Sample, before: number): void {
  const known = guest.lives.findLast(({ pid, host }) => pid === copy.pid && host === copy.host);
  // The same number after it was away is another process.
  if (known !== undefined && known.to >= before) known.to = at;
  else {
    const left = guest.lives.at(-1);
    if (left !== undefined && left.host !== copy.host) {
      const nowhereMs = left.to < before ? at - left.to : 0;
      guest.moves.push({ from: left.host, to: copy.host, nowhereMs, oldHostOn: on.includes(left.host) });
    }
    guest.lives.push({ host: copy.host, pid: copy.pid, from: at, to: at });
  }
  if (copy.wrote !== null && guest.writers.at(-1) !== copy.wrote) guest.writers.push(copy.wrote);
}

function addTogether(guest: GuestReport, here: readonly Seen[], at: number, before: number): void {
  const hosts = here.map(({ host }) => host).toSorted();
  const open = guest.together.at(-1);
  if (open !== undefined && open.to >= before && open.hosts.join() === hosts.join()) open.to = at;
  else guest.together.push({ hosts, from: at, to: at });
}

/**
 * Why it is not proven that the guest never ran twice; empty when it is. Between two hosts it must have been seen on none,
 * which holds however long the gaps between the samples are: so not for guests that migrate live.
 */
export function ranTwice(report: Report, name: string, longestGapMs = 3000): string[] {
  const guest = report.guests.get(name);
  if (guest === undefined) return [`${name} was never seen, in ${report.samples} samples`];
  const found: string[] = [];
  if (report.longestGapMs > longestGapMs)
    found.push(`nobody looked for ${Math.round(report.longestGapMs)} ms: what happened then was not seen`);
  for (const { hosts, from, to } of guest.together)
    found.push(
      `${name} ran on ${hosts.join(' and on ')} at one time, for at least ${Math.round(to - from)} ms`,
    );
  for (const move of guest.moves) {
    if (move.nowhereMs > 0) continue;
    found.push(`${name} was seen on ${move.to} with no moment since ${move.from} at which it was on no host`);
  }
  for (const [index, boot] of guest.writers.entries()) {
    if (guest.writers.indexOf(boot) < index)
      found.push(`boot ${boot} of ${name} wrote to its disk again after ${guest.writers[index - 1]} had`);
  }
  return found;
}
