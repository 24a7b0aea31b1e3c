/**
 * A datacenter in a file (or in memory), shared by all processes that open it. Nothing in it runs: what happens
 * by itself is planned with its time, and whoever comes next settles what has happened by then. Each call is one
 * transaction, so a process that is killed leaves no half of anything.
 */
import { setMaxListeners } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DroverError } from '../../model/errors.js';
import type { Clock } from '../clock.js';
import { openStore, type Tx } from './database.js';
import { settle } from './settle.js';

export interface Datacenter {
  readonly name: string;
  readonly clock: Clock;
  /** Aborted when it is closed. */
  readonly closed: AbortSignal;
  /** Runs `work` in one transaction, at the present. It may run again, so it does nothing else. */
  transact<T>(work: (tx: Tx) => T): Promise<T>;
  close(): void;
}

/** How long a call waits for another process that has the file locked. */
const patienceMs = 15_000;
const retryMs = 5;

export function openDatacenter(options: {
  /** Of the file, which is made when there is none; or ':memory:'. */
  path: string;
  name: string;
  clock: Clock;
}): Datacenter {
  const { path, name, clock } = options;
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const store = openStore(path);
  const closing = new AbortController();
  // Every client that waits listens for the end.
  setMaxListeners(0, closing.signal);

  return {
    name,
    clock,
    closed: closing.signal,
    async transact(work) {
      const begun = clock.now();
      for (;;) {
        const outcome = store.attempt(clock.now(), (tx) => {
          settle(tx);
          return work(tx);
        });
        if (outcome !== 'busy') return outcome.done;
        if (clock.now() - begun > patienceMs) {
          throw new DroverError('HypervisorUnreachable', `another process keeps ${path} locked`, {
            details: { path },
            hint: `look who has it open: fuser -v ${path}`,
          });
        }
        await clock.sleep(retryMs);
      }
    },
    close() {
      closing.abort();
      store.close();
    },
  };
}
