/** A lock file between processes, which a dead holder does not keep. */
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive, thisProcess, type ProcessId } from './processes.js';

export type Lock =
  { readonly held: true; release(): void } | { readonly held: false; readonly holder: number };

const ABANDONED_TAKEOVER_MS = 5000;

/** Takes the lock or tells who holds it; doesn't wait. */
export function tryLock(path: string): Lock {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify(thisProcess());
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (createWhole(path, mine)) return { held: true, release: () => releaseLock(path, mine) };
    const theirs = readOrEmpty(path);
    const holder = parseHolder(theirs);
    if (holder !== undefined && isAlive(holder)) return { held: false, holder: holder.pid };
    removeStale(path, theirs);
  }
  return { held: false, holder: parseHolder(readOrEmpty(path))?.pid ?? 0 };
}

/** A link appears with its content; a created file is empty for a moment, and looks stale to another process. */
function createWhole(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Two processes can find the same dead holder. If both just removed the file, the slower one would remove the
 * lock which the faster one has taken by then. So only who creates `.takeover` may remove it, and looks again first.
 */
function removeStale(path: string, staleContent: string): void {
  const takeover = `${path}.takeover`;
  try {
    writeFileSync(takeover, '', { flag: 'wx' });
  } catch {
    if (Date.now() - modifiedAt(takeover) > ABANDONED_TAKEOVER_MS) rmSync(takeover, { force: true });
    return;
  }
  try {
    if (readOrEmpty(path) === staleContent) rmSync(path, { force: true });
  } finally {
    rmSync(takeover, { force: true });
  }
}

function releaseLock(path: string, mine: string): void {
  if (readOrEmpty(path) === mine) rmSync(path, { force: true });
}

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parseHolder(content: string): ProcessId | undefined {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTime' in value))
      return undefined;
    const { pid, startTime } = value;
    return typeof pid === 'number' && typeof startTime === 'string' ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}
