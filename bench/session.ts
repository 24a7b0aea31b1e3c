import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a benchmark has to do with the outside: its output, its end, and what it must take away again. */
export class Session {
  private readonly undo: (() => Promise<unknown>)[] = [];

  constructor(
    readonly name: string,
    /** Aborted by Ctrl-C and when the benchmark takes too long. */
    readonly signal: AbortSignal,
  ) {}

  /** Progress, for people. */
  say = (line: string): void => void process.stderr.write(`${this.name}: ${line}\n`);

  /** A result, for programs: one JSON object a line. */
  tell = (row: object): void => void process.stdout.write(`${JSON.stringify(row)}\n`);

  /** To be done at the end, however that comes; the last first. */
  atEnd(work: () => Promise<unknown>): void {
    this.undo.push(work);
  }

  /** A folder that is removed at the end. */
  folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'drover-bench-'));
    this.atEnd(async () => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  async close(): Promise<void> {
    for (const work of this.undo.splice(0).toReversed()) {
      await work().catch((error: unknown) => this.say(`at the end: ${String(error)}`));
    }
  }
}

/** The kernel gives out ephemeral ports in no order, so it stays free for the moment until it is used. */
export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => done(port));
    });
  });
}
