/**
 * A clock that jumps: time stands as long as anything can go on, and then is at once that of the next timer. It
 * runs only while somebody waits for something (`drive`), so that what is set up between takes no time.
 */
import type { Clock } from '../activities/clock.js';
import { DroverError } from '../model/errors.js';
import { Timers } from './timers.js';

interface Watch {
  fail(error: DroverError): void;
}

/** What takes longer than this goes round in circles, as a poll for something that never comes. */
const mostMs = 60 * 86_400_000;

/** All that is ready has run when it returns: promises settle in microtasks, before any immediate. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class VirtualClock implements Clock {
  private readonly timers = new Timers();
  private readonly watches = new Set<Watch>();
  private time: number;
  private pumping = false;
  /** Says who waits for what, when nothing can go on any more. */
  tellsWaits: () => string = () => '';
  /** Asked when nothing is ready: true when that made something ready again. */
  wakes: () => boolean = () => false;

  constructor(readonly start: number = Date.UTC(2026, 0, 1)) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  /** Calls `fire` after `ms`; what it answers calls that off. */
  timer(ms: number, fire: () => void): () => void {
    const timer = this.timers.add(this.time + Math.max(0, ms), fire);
    return () => this.timers.remove(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const off = this.timer(ms, wake);
      const stop = () => {
        off();
        resolve();
      };
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Lets `ms` pass. */
  advance(ms: number): Promise<void> {
    return this.drive(this.sleep(ms));
  }

  /** Lets time pass until `work` has ended. Fails when nothing is left that could end it. */
  drive<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const watch: Watch = { fail: reject };
      this.watches.add(watch);
      const done = () => this.watches.delete(watch);
      work.finally(done).then(resolve, reject);
      if (!this.pumping) void this.pump();
    });
  }

  private async pump(): Promise<void> {
    this.pumping = true;
    const begun = this.time;
    try {
      for (;;) {
        await turn();
        if (this.watches.size === 0) return;
        if (this.wakes()) continue;
        const next = this.timers.take();
        if (next === undefined) this.give('nothing is left that could go on');
        else if (next.at - begun > mostMs) this.give(`after ${mostMs / 86_400_000} days it has not ended`);
        else {
          this.time = next.at;
          next.fire();
        }
      }
    } finally {
      this.pumping = false;
    }
  }

  private give(why: string): void {
    const waits = this.tellsWaits();
    const error = new DroverError('Internal', `virtual time stands still: ${why}${waits && `\n${waits}`}`);
    for (const watch of this.watches) watch.fail(error);
    this.watches.clear();
  }
}
