/** What was asked and how it ended, by kind. */
export class Counted {
  private readonly ends = new Map<string, Map<string, number>>();
  private readonly longestOf = new Map<string, number>();

  count(kind: string, end: string): void {
    const ends = this.ends.get(kind) ?? new Map<string, number>();
    ends.set(end, (ends.get(end) ?? 0) + 1);
    this.ends.set(kind, ends);
  }

  longest(what: string, seconds: number): void {
    this.longestOf.set(what, Math.max(this.longestOf.get(what) ?? 0, Math.round(seconds)));
  }

  toJSON(): object {
    const kinds = [...this.ends].toSorted(([one], [other]) => one.localeCompare(other));
    return {
      ends: Object.fromEntries(kinds.map(([kind, ends]) => [kind, Object.fromEntries(ends)])),
      longestSeconds: Object.fromEntries(this.longestOf),
    };
  }
}
