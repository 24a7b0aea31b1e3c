/** The work on the disks of simulated hosts: one worker serves all hosts of a datacenter. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { controlQueue, hostQueue } from '../model/addresses.js';
import { wrapActivities } from './envelope.js';
import type { Ports } from './ports.js';

type Common = Omit<WorkerOptions, 'taskQueue' | 'activities'>;

/** A datacenter may be made while the worker runs; its tasks wait for longer than this. */
const lookEveryMs = 2_000;

/** Serves every datacenter of the data folder, also those that come later, until `ended` is aborted. */
export async function serveDatacenters(
  ports: Ports,
  options: { cloud: string; common: Common; ended: AbortSignal },
): Promise<void> {
  const { cloud, common, ended } = options;
  const serving = new Map<string, { worker: Worker; runs: Promise<void> }>();
  const broken = new AbortController();
  const stop = AbortSignal.any([ended, broken.signal]);
  try {
    while (!stop.aborted) {
      for (const name of ports.datacenters.names()) {
        if (serving.has(name)) continue;
        const worker = await Worker.create({
          ...common,
          // The queue of every host there, whatever its name.
          taskQueue: hostQueue(controlQueue(cloud), `any@${name}`),
          activities: wrapActivities(ports.hostWork(name), null),
        });
        const runs = worker.run();
        runs.catch(() => broken.abort());
        serving.set(name, { worker, runs });
      }
      await delay(lookEveryMs, undefined, { signal: stop }).catch(() => undefined);
    }
  } finally {
    for (const { worker } of serving.values()) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all([...serving.values()].map(({ runs }) => runs));
  }
}
