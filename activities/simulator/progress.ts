/**
 * How far a live migration is, as arithmetic: memory is copied in rounds, each of what the guest wrote during
 * the round before, until the rest fits into the bearable downtime. Nothing ticks: any moment is computed.
 */
export interface Progress {
  /** The moment that this tells of. */
  at: number;
  round: number;
  /** When the round began. */
  roundAt: number;
  /** Bytes of the round that are not yet copied. */
  remaining: number;
  sent: number;
  /** All that is left fits into the downtime. */
  ready: boolean;
}

export interface Rates {
  /** Bytes of memory. */
  memory: number;
  /** Bytes per second that the guest writes, and that the link carries. */
  dirty: number;
  link: number;
}

/** What a guest bears to stand still for its last round, as QEMU has it by default. */
const bearableMs = 300;
/** Stopping here and going on there, beside the last round. */
const switchMs = 30;
const rounds = 10_000;

export const begin = (at: number, bytes: number): Progress => ({
  at,
  round: 1,
  roundAt: at,
  remaining: bytes,
  sent: 0,
  ready: false,
});

/** The progress at a later moment, the rates being the same all the time. */
export function advance(progress: Progress, rates: Rates, to: number): Progress {
  let now = progress;
  while (!now.ready && now.at < to) {
    const ends = now.at + msFor(now.remaining, rates.link);
    if (ends > to) {
      const copied = Math.min(now.remaining, (rates.link * (to - now.at)) / 1000);
      return { ...now, at: to, remaining: now.remaining - copied, sent: now.sent + copied };
    }
    now = nextRound(now, rates, ends);
  }
  return now;
}

/** When the guest can be switched over; null when it writes faster than the link carries. */
export function readyAt(progress: Progress, rates: Rates): number | null {
  let now = progress;
  for (let count = 0; !now.ready && count < rounds; count += 1) {
    const before = now.remaining;
    now = nextRound(now, rates, now.at + msFor(now.remaining, rates.link));
    if (!now.ready && rates.dirty >= rates.link && now.remaining >= before) return null;
  }
  return now.ready ? Math.ceil(now.at) : null;
}

/** How long the guest stands still when its rest is copied. */
export const downtimeOf = (progress: Progress, rates: Rates): number =>
  Math.ceil(switchMs + msFor(progress.remaining, rates.link));

const msFor = (bytes: number, perSecond: number): number => (bytes / perSecond) * 1000;

function nextRound(now: Progress, { memory, dirty, link }: Rates, ends: number): Progress {
  const written = Math.min(memory, (dirty * (ends - now.roundAt)) / 1000);
  const next = { at: ends, roundAt: ends, remaining: written, sent: now.sent + now.remaining };
  return msFor(written, link) <= bearableMs
    ? { ...next, round: now.round, ready: true }
    : { ...next, round: now.round + 1, ready: false };
}
