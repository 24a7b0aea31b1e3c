/** A real Temporal server, two workers in processes of their own, and a simulated datacenter, all in one folder. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeInventory, openInventory } from '../../activities/inventory/database.js';
import { systemClock } from '../../activities/clock.js';
import type { Datacenter } from '../../activities/simulator/datacenter.js';
import { openDatacenters } from '../../activities/simulator/folder.js';
import type { Caller } from '../../client/caller.js';
import { loadConfig } from '../../config/config.js';
import { findTemporal } from '../../temporal/binary.js';
import { withoutTemporal } from '../../temporal/child.js';
import { connectClient, type TemporalConnection } from '../../temporal/connect.js';
import { readDevFile } from '../../temporal/dev-file.js';
import { DevSession, type ChildSpec } from '../../temporal/dev-session.js';
import { portNear } from '../../temporal/ports.js';
import { createSimulation } from '../sim-create.js';
import { takeFolder } from './folder.js';
import { Unexpected, type Teller } from './tell.js';

export interface Stage {
  readonly caller: Caller;
  readonly temporal: TemporalConnection;
  readonly uiUrl: string;
  /** The datacenter itself: faults, and what the judge sees. */
  readonly datacenter: Datacenter;
  /** Those that live now. */
  workers(): { name: string; pid: number }[];
  /** Everything ends; at once when `hurry` aborts. */
  close(hurry: AbortSignal): Promise<void>;
}

const main = fileURLToPath(new URL('../main.js', import.meta.url));
const size = { hosts: 6, instances: 40, racks: 3, local: 0, slots: 4 };

export async function openStage(dataDir: string, tell: Teller, signal: AbortSignal): Promise<Stage> {
  const folder = await takeFolder(dataDir, tell.line);
  const closers: ((hurry: AbortSignal) => Promise<void> | void)[] = [() => folder.release()];
  const close = async (hurry: AbortSignal): Promise<void> => {
    for (let last = closers.pop(); last; last = closers.pop()) await last(hurry);
  };
  try {
    // A drover.yaml of the working folder is about something else.
    const file = join(dataDir, 'drover.yaml');
    writeFileSync(file, 'cloud: local\ndata: .\n');
    const config = await loadConfig({ file, env: process.env });
    const inventory = await openInventory(config.inventory);
    closers.push(() => closeInventory(inventory));
    const datacenters = openDatacenters(dataDir, systemClock);
    closers.push(() => datacenters.close());
    const datacenter = datacenters.make('sim');
    const [{ path: binary }] = await Promise.all([
      findTemporal({ say: tell.line, signal }),
      createSimulation({ inventory }, datacenter, size),
    ]);
    const [port, uiPort] = [await portNear('127.0.0.1', 7233), await portNear('127.0.0.1', 8233)];
    const children = ['worker-1', 'worker-2'].map((name) => workerOf(name, file));
    const say = (text: string): void => tell.line(`supervisor: ${text}`);
    const session = await DevSession.start(
      { binary, dataDir, port, uiPort, children, say, follow: false },
      signal,
    );
    closers.push((hurry) => session.end(hurry));
    const late = await session.untilReady(signal);
    signal.throwIfAborted();
    if (late.length > 0)
      throw new Unexpected(`${late.join(', ')} did not get ready; see its log in ${dataDir}`);
    const temporal = await connectClient({ dataDir, env: withoutTemporal() });
    closers.push(() => temporal.connection.close());
    return {
      caller: {
        cloud: config.cloud,
        inventory,
        identity: config.identity,
        via: 'cli',
        temporal: async () => temporal,
        say: tell.line,
      },
      temporal,
      uiUrl: session.uiUrl,
      datacenter,
      workers: () => readDevFile(dataDir)?.children ?? [],
      close,
    };
  } catch (error) {
    await close(AbortSignal.abort());
    throw error;
  }
}

/** Two in a process each, as on two machines. */
const workerOf = (name: string, config: string): ChildSpec => ({
  name,
  command: process.execPath,
  args: [main, 'worker', '--config', config],
  readyWhen: '"state":"RUNNING"',
});
