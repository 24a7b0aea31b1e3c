/**
 * What happened, in the order in which it happened. It is the same each time: lines have a number, the virtual time
 * since the beginning, and names in the place of ids.
 */
import type { VirtualClock } from './clock.js';

export type EventKind = 'starts' | 'phase' | 'state' | 'call' | 'fault' | 'ends' | 'world';

export interface Event {
  /** ms since the beginning. */
  at: number;
  kind: EventKind;
  /** The workflow (`instance.stop web-1`), or what of the world. */
  who: string;
  what: string;
}

const ids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

const final = new Set(['succeeded', 'failed', 'cancelled']);

export class EventLog {
  readonly events: Event[] = [];
  private readonly names = new Map<string, string>();

  /** `keep` false: thousands of operations a second, of which nobody reads. */
  constructor(
    private readonly clock: VirtualClock,
    private readonly keep = true,
  ) {}

  /** From now on the id is told as this name. */
  name(id: string, name: string): void {
    this.names.set(id, name);
  }

  add(kind: EventKind, who: string, what: string): void {
    if (this.keep) this.events.push({ at: this.clock.now() - this.clock.start, kind, who, what });
  }

  /** An operation that ends says in a sentence what became of its instance; a run of a runbook has a table. */
  phase(who: string, phase: string, details: string): void {
    const [sentence = ''] = details.split('\n', 1);
    if (final.has(phase) && !who.startsWith('run-')) this.add('state', who, sentence);
    else this.add('phase', who, phase);
  }

  /** ` 12    +3.5s instance.stop web-1: call stopGuest`; without `kinds` all of them. */
  lines(kinds?: readonly EventKind[]): string[] {
    const shown = this.events.filter(({ kind }) => kinds === undefined || kinds.includes(kind));
    return shown.map(({ at, kind, who, what }, index) => {
      const time = `+${(at / 1000).toFixed(1)}s`;
      const word = kind === 'world' || kind === 'state' ? '' : `${kind} `;
      return `${String(index + 1).padStart(4)} ${time.padStart(9)} ${this.told(who)}: ${word}${this.told(what)}`.trimEnd();
    });
  }

  text(kinds?: readonly EventKind[]): string {
    return this.lines(kinds)
      .map((line) => `${line}\n`)
      .join('');
  }

  /** Ids that nobody has named are numbered in the order in which they are told. */
  told(text: string): string {
    return text.replaceAll(ids, (id) => {
      const known = this.names.get(id);
      if (known !== undefined) return known;
      const fresh = `id-${this.names.size + 1}`;
      this.names.set(id, fresh);
      return fresh;
    });
  }
}
