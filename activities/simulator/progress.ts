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
  /** Bytes with which the round began. */
  began: number;
  /** How much the guest's processors are slowed down, in percent. */
  throttle: number;
  /** All that is left fits into the downtime. */
  ready: boolean;
}

export interface Rates {
  /** Bytes of memory. */
  memory: number;
  /** Bytes per second that the guest writes, and that the link carries. */
  dirty: number;
  link: number;
  /** How long the guest may stand still for its last round, in ms. */
  bearableMs: number;
  /** Its processors are slowed down while it writes too fast. */
  autoConverge: boolean;
}

/** As QEMU slows a guest down: first by so much, then by so much more each time, and no further. */
const throttle = { first: 20, more: 10, most: 99 };
/** Stopping here and going on there, beside the last round. */
export const switchMs = 30;
const rounds = 10_000;

export const begin = (at: number, bytes: number): Progress => ({
  at,
  round: 1,
  roundAt: at,
  remaining: bytes,
  sent: 0,
  began: bytes,
  throttle: 0,
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
    const slower = rates.autoConverge && now.throttle < throttle.most;
    if (!now.ready && writes(now, rates) >= rates.link && now.remaining >= before && !slower) return null;
  }
  return now.ready ? Math.ceil(now.at) : null;
}

/** How long the guest stands still when its rest is copied. */
export const downtimeOf = (progress: Progress, rates: Rates): number =>
  Math.ceil(switchMs + msFor(progress.remaining, rates.link));

/** What is left for the target when the guest goes on there at once: the rest, and what it wrote meanwhile. */
export const leftAt = (progress: Progress, rates: Rates): number =>
  Math.min(
    rates.memory,
    progress.remaining + (writes(progress, rates) * (progress.at - progress.roundAt)) / 1000,
  );

export const msFor = (bytes: number, perSecond: number): number => (bytes / perSecond) * 1000;

/** Bytes per second, slowed down as it is. */
export const writes = (now: Progress, { dirty }: Rates): number => (dirty * (100 - now.throttle)) / 100;

function nextRound(now: Progress, rates: Rates, ends: number): Progress {
  const written = Math.min(rates.memory, (writes(now, rates) * (ends - now.roundAt)) / 1000);
  const next = {
    at: ends,
    roundAt: ends,
    remaining: written,
    began: written,
    sent: now.sent + now.remaining,
  };
  if (msFor(written, rates.link) <= rates.bearableMs)
    return { ...next, throttle: now.throttle, round: now.round, ready: true };
  const slowed = rates.autoConverge && written > now.began / 2 ? slowDown(now.throttle) : now.throttle;
  return { ...next, throttle: slowed, round: now.round + 1, ready: false };
}

const slowDown = (by: number): number =>
  by === 0 ? throttle.first : Math.min(throttle.most, by + throttle.more);
