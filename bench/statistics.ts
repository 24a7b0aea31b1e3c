/** What a benchmark tells: medians and spreads, never an average that one slow sample moves. */

export interface Samples {
  ours: number[];
  baseline: number[];
}

/** One line of output. */
export interface Row {
  bench: string;
  case: string;
  ours: number;
  baseline: number;
  /** ours / baseline of the medians. */
  ratio: number;
  unit: string;
  /** Samples of each side. */
  n: number;
  spread: { ours: [min: number, max: number]; baseline: [min: number, max: number] };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('no samples, so no median');
  return (lower + upper) / 2;
}

export function compare(about: { bench: string; case: string; unit: string }, samples: Samples): Row {
  const { ours, baseline } = samples;
  if (ours.length !== baseline.length) {
    throw new RangeError(`${ours.length} samples of ours and ${baseline.length} of the baseline`);
  }
  const [one, other] = [median(ours), median(baseline)];
  return {
    bench: about.bench,
    case: about.case,
    ours: round(one),
    baseline: round(other),
    // Of the unrounded medians.
    ratio: Math.round((one / other) * 1000) / 1000,
    unit: about.unit,
    n: ours.length,
    spread: { ours: spread(ours), baseline: spread(baseline) },
  };
}

const spread = (values: readonly number[]): [number, number] => [
  round(Math.min(...values)),
  round(Math.max(...values)),
];

/** Two digits behind the point: finer than any of these clocks. */
export const round = (value: number): number => Math.round(value * 100) / 100;
