/** The workers that are not of the cloud: that of a host, for its disks, and that of a vantage point. */
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config/config.js';
import { createDiskActivities } from '../activities/disk/activities.js';
import { createHostActivities } from '../activities/host/activities.js';
import { controlQueue, hostQueue, vantageQueue } from '../model/addresses.js';
import { wrapActivities } from './envelope.js';
import { vantageHere } from './ports.js';

/** What all workers of a process have in common. */
export type Common = Pick<
  WorkerOptions,
  'connection' | 'namespace' | 'shutdownGraceTime' | 'maxHeartbeatThrottleInterval' | 'dataConverter'
>;

interface Elsewhere {
  config: Config;
  /** Where the worker of a host keeps its fence. */
  stateDir?: string;
  /** What the worker of a host runs to reboot it. */
  rebootCommand?: string[];
}

export async function runVantage(vantage: string, { config }: Elsewhere, common: Common): Promise<void> {
  const worker = await Worker.create({
    ...common,
    taskQueue: vantageQueue(config.cloud, vantage),
    activities: wrapActivities(vantageHere(vantage), null),
  });
  await worker.run();
}

export async function runHostWorker(host: string, run: Elsewhere, common: Common): Promise<void> {
  const { config, stateDir = '/var/lib/drover', rebootCommand } = run;
  const activities = {
    ...createDiskActivities({ stateDir }),
    ...createHostActivities(rebootCommand === undefined ? {} : { rebootCommand }),
  };
  const worker = await Worker.create({
    ...common,
    taskQueue: hostQueue(controlQueue(config.cloud), host),
    activities: wrapActivities(activities, null),
  });
  await worker.run();
}
