/** Timers in the order of their time, and of their making where the time is the same: a binary heap. */
export interface Timer {
  readonly at: number;
  readonly seq: number;
  /** Null once it was called off. */
  fire: (() => void) | null;
}

const isBefore = (one: Timer, other: Timer): boolean =>
  one.at < other.at || (one.at === other.at && one.seq < other.seq);

export class Timers {
  private heap: Timer[] = [];
  private made = 0;
  private dead = 0;

  get size(): number {
    return this.heap.length - this.dead;
  }

  add(at: number, fire: () => void): Timer {
    this.made += 1;
    const timer = { at, seq: this.made, fire };
    this.heap.push(timer);
    this.rise(this.heap.length - 1);
    return timer;
  }

  /** Most timers are limits that are never reached: those called off are swept out once they are the most. */
  remove(timer: Timer): void {
    if (timer.fire === null) return;
    timer.fire = null;
    this.dead += 1;
    if (this.dead < 64 || this.dead < this.heap.length / 2) return;
    this.heap = this.heap.filter((each) => each.fire !== null);
    this.dead = 0;
    for (let index = (this.heap.length >> 1) - 1; index >= 0; index -= 1) this.sink(index);
  }

  /** The next that is to fire, taken out. */
  take(): { at: number; fire: () => void } | undefined {
    for (;;) {
      const [first] = this.heap;
      const last = this.heap.pop();
      if (first === undefined || last === undefined) return undefined;
      if (this.heap.length > 0) {
        this.heap[0] = last;
        this.sink(0);
      }
      const { at, fire } = first;
      first.fire = null;
      if (fire !== null) return { at, fire };
      this.dead -= 1;
    }
  }

  private rise(from: number): void {
    const { heap } = this;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.swapIfBefore(heap, index, parent)) return;
      index = parent;
    }
  }

  private sink(from: number): void {
    const { heap } = this;
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const least = right < heap.length && isBefore(heap[right] as Timer, heap[left] as Timer) ? right : left;
      if (!this.swapIfBefore(heap, least, index)) return;
      index = least;
    }
  }

  private swapIfBefore(heap: Timer[], one: number, other: number): boolean {
    const first = heap[one] as Timer;
    const second = heap[other] as Timer;
    if (!isBefore(first, second)) return false;
    heap[one] = second;
    heap[other] = first;
    return true;
  }
}
