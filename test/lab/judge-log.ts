/**
 * Reads what a guest printed on its serial console, over all the hosts it ran on. Pure: text in, ticks out.
 *
 * A migration stops the guest anywhere, also in the middle of a line: then the head of the line is in the log
 * of the source and its tail in the log of the target. Such a tick is put together again, but only out of a
 * head on one host and a tail on another one which make exactly the missing line.
 */
export interface Tick {
  host: string;
  n: number;
  /** First 8 digits of the kernel's boot id. */
  boot: string;
  /** Seconds since that boot, by the guest's clock. */
  up: number;
  /** `ERR`: the guest could not write to its disk; `-`: it has none. */
  disk: 'ok' | 'ERR' | '-';
  /** Position among the ticks in the log of that host. */
  at: number;
  /** Put together from the logs of two hosts. */
  torn: boolean;
}

interface HostLog {
  ticks: Tick[];
  /** Lines, or parts of lines, that are neither a tick nor anything else that the guest says. */
  fragments: string[];
  /** Boot id -> seconds since 1970 at which that boot began to count. */
  boots: Map<string, number>;
}

const wholeTick = /TICK n=(\d+) boot=([0-9a-f]{8}) up=(\d+\.\d\d) disk=(ok|ERR|-)/;
const exactTick = new RegExp(`^${wholeTick.source}$`);
const upLine = /GUEST UP name=\S+ boot=([0-9a-f]{8}) at=(\d+) up=[\d.]+ prev=\[[^\]]*\]/;

/** Map.groupBy, which Node 20 does not have. */
function groupBy(ticks: readonly Tick[], key: (tick: Tick) => string): Map<string, Tick[]> {
  const groups = new Map<string, Tick[]>();
  for (const tick of ticks) {
    const group = groups.get(key(tick));
    if (group) group.push(tick);
    else groups.set(key(tick), [tick]);
  }
  return groups;
}

function toTick(match: RegExpExecArray, host: string, at: number, torn: boolean): Tick {
  const [, n = '', boot = '', up = '', disk = ''] = match;
  return {
    host,
    n: Number(n),
    boot,
    up: Number(up),
    disk: disk === 'ok' || disk === 'ERR' ? disk : '-',
    at,
    torn,
  };
}

function readLog(host: string, text: string): HostLog {
  const log: HostLog = { ticks: [], fragments: [], boots: new Map() };
  for (const line of text.split(/[\r\n\0]+/)) {
    let rest = line;
    const up = upLine.exec(rest);
    if (up) {
      log.boots.set(up[1] ?? '', Number(up[2]));
      rest = rest.replace(upLine, '');
    }
    // A guest that comes back appends to the same log, so a torn line may have a whole tick behind it.
    for (let tick = wholeTick.exec(rest); tick; tick = wholeTick.exec(rest)) {
      log.ticks.push(toTick(tick, host, log.ticks.length, false));
      if (tick.index > 0) log.fragments.push(rest.slice(0, tick.index));
      rest = rest.slice(tick.index + tick[0].length);
    }
    if (rest !== '' && !rest.startsWith('GUEST ')) log.fragments.push(rest);
  }
  return log;
}

/** A line torn between two hosts: some head of a fragment of one, some tail of a fragment of the other. */
function joinTorn(n: number, boot: string, logs: ReadonlyMap<string, HostLog>): Tick | undefined {
  for (const [from, { fragments: heads }] of logs) {
    for (const [to, { fragments: tails, ticks }] of logs) {
      if (from === to) continue;
      for (const head of heads) {
        for (const tail of tails) {
          const line = joinedLine(head, tail, n, boot);
          // It belongs after the last tick of the target's log that is before it in number.
          const at = ticks.filter((tick) => tick.boot === boot && tick.n < n).at(-1)?.at ?? -1;
          if (line) return toTick(line, to, at + 0.5, true);
        }
      }
    }
  }
  return undefined;
}

function joinedLine(head: string, tail: string, n: number, boot: string): RegExpExecArray | undefined {
  for (let start = head.indexOf('T'); start !== -1; start = head.indexOf('T', start + 1)) {
    for (let end = head.length; end > start; end--) {
      for (let cut = 0; cut < tail.length; cut++) {
        const line = exactTick.exec(head.slice(start, end) + tail.slice(cut));
        if (line && Number(line[1]) === n && line[2] === boot) return line;
      }
    }
  }
  return undefined;
}

/** All ticks in the order in which they happened: by boot, then by number; a number twice stays twice. */
export function mergeTicks(texts: ReadonlyMap<string, string>): Tick[] {
  const logs = new Map([...texts].map(([host, text]) => [host, readLog(host, text)]));
  const began = new Map([...logs.values()].flatMap(({ boots }) => [...boots]));
  const byBoot = groupBy(
    [...logs.values()].flatMap(({ ticks }) => ticks),
    (tick) => tick.boot,
  );
  return [...byBoot]
    .toSorted(([one], [other]) => (began.get(one) ?? 0) - (began.get(other) ?? 0))
    .flatMap(([boot, ticks]) => {
      const numbers = new Set(ticks.map(({ n }) => n));
      const last = Math.max(...numbers);
      for (let n = Math.min(...numbers); n < last; n++) {
        const torn = numbers.has(n) ? undefined : joinTorn(n, boot, logs);
        if (torn) ticks.push(torn);
      }
      return ticks.toSorted((one, other) => one.n - other.n);
    });
}

/** What is wrong with ticks that should be those of one guest which ran without a break; empty when nothing is. */
export function faults(ticks: readonly Tick[], sameBoot: boolean): string[] {
  const boots = groupBy(ticks, (tick) => tick.boot);
  const found: string[] = [];
  if (ticks.length === 0) found.push('it never ticked');
  if (sameBoot && boots.size > 1)
    found.push(`it booted ${boots.size} times: ${[...boots.keys()].join(', ')}`);
  for (const [boot, own] of boots) {
    for (const [i, tick] of own.entries()) {
      const before = own[i - 1];
      const where = `boot ${boot}, tick ${tick.n} on ${tick.host}`;
      if (tick.disk === 'ERR') found.push(`${where}: could not write to its disk`);
      if (!before) continue;
      if (tick.n === before.n)
        found.push(`${where}: ticked on ${before.host} as well (two copies, or memory restored)`);
      if (tick.n > before.n + 1) found.push(`${where}: the one before it is ${before.n} on ${before.host}`);
      if (tick.up < before.up) found.push(`${where}: its clock went back from ${before.up} to ${tick.up}`);
    }
    for (const [host, there] of groupBy(own, (tick) => tick.host)) {
      const wrong = there.find((tick, i) => i > 0 && tick.at < (there[i - 1]?.at ?? 0));
      if (wrong) found.push(`boot ${boot}: tick ${wrong.n} is out of order in the log of ${host}`);
    }
  }
  return found;
}
