/** The registry: one line an operation. Everything that knows operations (command line, runbooks, worker) reads it. */
import { z } from 'zod';
import { instance } from '../model/instance.js';
import { host } from '../model/host.js';
import { operationKey, type Operation } from './define.js';
import { disable } from './host/disable.js';
import { enable } from './host/enable.js';
import { endMaintenance } from './host/end-maintenance.js';
import { maintenance } from './host/maintenance.js';
import { readmit } from './host/readmit.js';
import { reboot as rebootHost } from './host/reboot.js';
import { recover } from './host/recover.js';
import { setHost } from './host/set.js';
import { confirmResize } from './instance/confirm-resize.js';
import { evacuate } from './instance/evacuate.js';
import { launch } from './instance/launch.js';
import { liveMigrate } from './instance/live-migrate.js';
import { migrate } from './instance/migrate.js';
import { lock } from './instance/lock.js';
import { pause } from './instance/pause.js';
import { reboot } from './instance/reboot.js';
import { repair } from './instance/repair.js';
import { resume } from './instance/resume.js';
import { setPolicy } from './instance/set-policy.js';
import { start } from './instance/start.js';
import { stop } from './instance/stop.js';
import { resize } from './instance/resize.js';
import { revertResize } from './instance/revert-resize.js';
import { suspend } from './instance/suspend.js';
import { terminate } from './instance/terminate.js';
import { unlock } from './instance/unlock.js';
import { unpause } from './instance/unpause.js';

const all: Operation[] = [
  disable,
  enable,
  endMaintenance,
  maintenance,
  readmit,
  rebootHost,
  recover,
  setHost,
  confirmResize,
  evacuate,
  launch,
  liveMigrate,
  migrate,
  lock,
  pause,
  reboot,
  repair,
  resize,
  revertResize,
  resume,
  setPolicy,
  start,
  stop,
  suspend,
  terminate,
  unlock,
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
