import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findTemporal } from '../../temporal/binary.js';

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'drover-test-'));
}

/** In memory where there is such a folder: servers and databases write at every event. */
export function memoryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'drover-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Never builds one: that takes minutes, and the test command has it made before. */
export async function temporalBinary(): Promise<string> {
  return (await findTemporal({ make: false })).path;
}

/** The kernel gives out ephemeral ports in no order, so these stay free for the moment until they are used. */
export async function freePort(): Promise<number> {
  return new Promise((resolved, rejected) => {
    const server = createServer();
    server.once('error', rejected);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolved(port));
    });
  });
}

export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await delay(50);
  }
  throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
}
