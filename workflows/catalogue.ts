/** The registry: one line an operation. Everything that knows operations (command line, runbooks, worker) reads it. */
import { z } from 'zod';
import { instance } from '../model/instance.js';
import { host } from '../model/host.js';
import { operationKey, type Operation } from './define.js';
import { disable } from './host/disable.js';
import { enable } from './host/enable.js';
import { endMaintenance } from './host/end-maintenance.js';
import { maintenance } from './host/maintenance.js';
import { reboot as rebootHost } from './host/reboot.js';
import { launch } from './instance/launch.js';
import { liveMigrate } from './instance/live-migrate.js';
import { pause } from './instance/pause.js';
import { reboot } from './instance/reboot.js';
import { repair } from './instance/repair.js';
import { start } from './instance/start.js';
import { stop } from './instance/stop.js';
import { terminate } from './instance/terminate.js';
import { unpause } from './instance/unpause.js';

const all: Operation[] = [
  disable,
  enable,
  endMaintenance,
  maintenance,
  rebootHost,
  launch,
  liveMigrate,
  pause,
  reboot,
  repair,
  start,
  stop,
  terminate,
  unpause,
];

export const operations: ReadonlyMap<string, Operation> = new Map(
  all.map((operation) => [operationKey(operation), operation]),
);

/** What a runbook may list, and the activity that lists it. */
export const queries = {
  instances: {
    name: 'instances',
    input: z.object({
      host: z.string().optional(),
      state: z.string().optional(),
      moved_from: z.string().optional(),
    }),
    item: instance,
    activity: 'listInstances',
  },
  hosts: {
    name: 'hosts',
    input: z.object({
      name: z.string().optional(),
      enabled: z.boolean().optional(),
      state: z.string().optional(),
    }),
    item: host,
    activity: 'listHosts',
  },
} as const;
