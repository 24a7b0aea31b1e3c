/** What the demo says, line by line, as it happens. */
import { table } from '../output.js';
import { paint } from '../paint.js';

export interface Teller {
  /** What comes now. */
  act: (text: string) => void;
  say: (text: string) => void;
  /** What drover, its records or the hypervisors say. */
  line: (text: string) => void;
  rows: (titles: readonly string[], rows: readonly (readonly string[])[]) => Promise<void>;
  /** How long the act before took; shown with --timings. */
  clock: (what: string) => void;
  /** Nothing is said any more. */
  end: () => void;
}

/** Something did not come as the demo promises. */
export class Unexpected extends Error {}

export function openTeller({ timings }: { timings: boolean }): Teller {
  let open = true;
  let before = performance.now();
  const write = (text: string): void => {
    if (open) process.stdout.write(`${text}\n`);
  };
  return {
    act: (text) => write(`\n${paint.bold(paint.cyan(text))}`),
    say: write,
    line: (text) => write(text === '' ? '' : `  ${text}`),
    async rows(titles, rows) {
      for (const line of (await table(titles, rows)).split('\n')) write(`  ${line}`);
    },
    clock(what) {
      const now = performance.now();
      if (timings) write(paint.dim(`  (${what}: ${((now - before) / 1000).toFixed(1)} s)`));
      before = now;
    },
    end: () => void (open = false),
  };
}
