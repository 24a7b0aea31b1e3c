/** The work on the disks of simulated hosts, and what looks at them: one worker serves all hosts of a datacenter. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { controlQueue, hostQueue, vantageQueue } from '../model/addresses.js';
import { defaultRecoveryRules } from '../model/recovery.js';
import { wrapActivities } from './envelope.js';
import type { Ports } from './ports.js';

type Common = Omit<WorkerOptions, 'taskQueue' | 'activities'>;

/** A datacenter may be made while the worker runs; its tasks wait for longer than this. */
const lookEveryMs = 2_000;

/** Serves every datacenter of the data folder, also those that come later, until `ended` is aborted. */
export async function serveDatacenters(
  ports: Ports,
  options: { cloud: string; common: Common; ended: AbortSignal; vantages?: readonly string[] },
): Promise<void> {
  const { cloud, common, ended, vantages = defaultRecoveryRules.vantages } = options;
  const serving = new Map<string, { worker: Worker; runs: Promise<void> }>();
  const broken = new AbortController();
  const stop = AbortSignal.any([ended, broken.signal]);
  async function serve(taskQueue: string, work: () => Parameters<typeof wrapActivities>[0]): Promise<void> {
    if (serving.has(taskQueue)) return;
    const worker = await Worker.create({ ...common, taskQueue, activities: wrapActivities(work(), null) });
    const runs = worker.run();
    runs.catch(() => broken.abort());
    serving.set(taskQueue, { worker, runs });
  }
  try {
    while (!stop.aborted) {
      for (const name of ports.datacenters.names()) {
        // The queue of every host there, whatever its name.
        await serve(hostQueue(controlQueue(cloud), `any@${name}`), () => ports.hostWork(name));
        for (const vantage of vantages)
          await serve(vantageQueue(cloud, `${vantage}@${name}`), () => ports.vantageWork(name, vantage));
      }
      await delay(lookEveryMs, undefined, { signal: stop }).catch(() => undefined);
    }
  } finally {
    for (const { worker } of serving.values()) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all([...serving.values()].map(({ runs }) => runs));
  }
}
