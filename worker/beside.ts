/** What a control worker does beside its tasks, for as long as it lives. */
import type { Client } from '@temporalio/client';
import type { Inventory } from '../activities/inventory/database.js';
import type { Config } from '../config/config.js';
import { tellReceivers } from './notices.js';
import { observe, type Observer } from './observer.js';
import { operator } from './operate.js';
import { keepSchedules } from './runbook-schedules.js';

export interface Beside {
  config: Config;
  client: Client;
  /** Of Temporal, as far as it is known. */
  uiUrl: string | undefined;
  namespace: string | undefined;
  searchable: boolean;
  inventory: Inventory;
  hypervisor: Observer['hypervisor'];
  log: Observer['log'];
}

/** Each ends with `ended`. */
export function besideControl(
  { config, client, uiUrl, namespace = 'default', searchable, inventory, hypervisor, log }: Beside,
  ended: AbortSignal,
): Promise<void>[] {
  const { cloud, runbooks: folders, notifications: receivers } = config;
  const operate = operator(client, { cloud, searchable });
  const telling = { client, inventory, cloud, receivers, uiUrl, namespace, env: process.env };
  return [
    observe({ hypervisor, inventory, operate, log }, ended),
    keepSchedules({ client, inventory, cloud, folders, searchable }, log, ended),
    ...(receivers.length === 0 ? [] : [tellReceivers(telling, log, ended)]),
  ];
}
