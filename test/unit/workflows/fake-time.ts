/** Time that jumps to the next timer when nothing else can go on; activities of the fakes run in real time. */
interface Sleeper {
  at: number;
  wake(): void;
}

/** An activity that takes longer than this waits for something that only a timer can bring. */
const stuckMs = 50;

export class FakeTime {
  private jumped = 0;
  private readonly sleepers = new Set<Sleeper>();
  private atWork = 0;
  private looking = false;
  private lastEnded = Date.now();

  now(): number {
    return Date.now() + this.jumped;
  }

  /** Time stands while an activity works; what it answers is to be called when it has ended. */
  working(): () => void {
    this.atWork += 1;
    return () => {
      this.atWork -= 1;
      this.lastEnded = Date.now();
    };
  }

  /** Ends after `ms`, or at once when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        at: this.now() + ms,
        wake: () => {
          this.sleepers.delete(sleeper);
          resolve();
        },
      };
      this.sleepers.add(sleeper);
      this.lastEnded = Date.now();
      signal.addEventListener('abort', sleeper.wake, { once: true });
      if (!this.looking) this.look();
    });
  }

  private look(): void {
    this.looking = this.sleepers.size > 0;
    if (!this.looking) return;
    setTimeout(() => {
      if (this.atWork === 0 || Date.now() - this.lastEnded > stuckMs) {
        const [next] = [...this.sleepers].toSorted((a, b) => a.at - b.at);
        if (next) {
          this.jumped += Math.max(0, next.at - this.now());
          next.wake();
        }
      }
      this.look();
    }, 1);
  }
}
