/** The log files of child processes. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, statSync } from 'node:fs';

const MAX_BYTES = 20 * 1024 * 1024;

/** Before a start: a log that has grown large becomes FILE.1. */
export function rotateLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_BYTES) renameSync(file, `${file}.1`);
}

/** The last lines that are not empty. */
export function logTail(file: string, lines: number): string[] {
  try {
    const all = readFileSync(file, 'utf8').trimEnd().split('\n');
    return all.filter((line) => line.trim() !== '').slice(-lines);
  } catch {
    return [];
  }
}

/** Reads what is appended to a file, line by line, from its present end on. */
export class LogFollower {
  private offset: number;
  private rest = '';

  constructor(private readonly file: string) {
    this.offset = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** The whole lines since the last call. */
  read(): string[] {
    const lines = (this.rest + this.appended()).split('\n');
    this.rest = lines.pop() ?? '';
    return lines;
  }

  private appended(): string {
    let fd: number;
    try {
      fd = openSync(this.file, 'r');
    } catch {
      return '';
    }
    try {
      const { size } = fstatSync(fd);
      if (size < this.offset) this.offset = 0;
      const buffer = Buffer.alloc(size - this.offset);
      const length = readSync(fd, buffer, 0, buffer.length, this.offset);
      this.offset += length;
      return buffer.toString('utf8', 0, length);
    } finally {
      closeSync(fd);
    }
  }
}
