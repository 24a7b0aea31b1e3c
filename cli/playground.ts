/** What `drover dev` finds to play with: a simulated datacenter, where the data folder has no hosts yet. */
import { relative } from 'node:path';
import { systemClock } from '../activities/clock.js';
import { closeInventory, openInventory } from '../activities/inventory/database.js';
import { listHosts } from '../activities/inventory/hosts.js';
import { listInstances } from '../activities/inventory/instances.js';
import { openDatacenters } from '../activities/simulator/folder.js';
import type { Config } from '../config/config.js';
import { datacenterOf } from '../model/addresses.js';
import type { Host } from '../model/host.js';
import type { Instance } from '../model/instance.js';
import { createSimulation } from './sim-create.js';

export interface Playground {
  /** 0 for none: for real hosts. */
  hosts: number;
  instances: number;
}

/** Leaves a folder that has hosts or instances as it is. Answers what to try next, with names that are there. */
export async function furnish(config: Config, { hosts, instances }: Playground): Promise<readonly string[]> {
  const inventory = await openInventory(config.inventory);
  try {
    const there = async () => ({
      hosts: await listHosts(inventory),
      instances: await listInstances(inventory),
    });
    const before = await there();
    if (before.hosts.length + before.instances.length > 0 || hosts === 0) return nextSteps(config, before);
    const datacenters = openDatacenters(config.data, systemClock);
    try {
      const racks = Math.ceil(hosts / 2);
      await createSimulation({ inventory }, datacenters.make('sim'), { hosts, instances, racks });
    } finally {
      datacenters.close();
    }
    return [
      `a simulated datacenter was made: ${hosts} hosts, ${instances} instances (for real hosts: --hosts 0)`,
      ...nextSteps(config, await there()),
    ];
  } finally {
    await closeInventory(inventory);
  }
}

function nextSteps(config: Config, { hosts, instances }: { hosts: Host[]; instances: Instance[] }): string[] {
  const drover = commandFor(config);
  const simulated = hosts.filter(({ uri }) => datacenterOf(uri) !== null);
  const drained = simulated.find((host) => host.enabled && host.instances > 0);
  const moved = instances
    .filter((one) => one.state === 'active' && (simulated.length < 3 || one.host !== drained?.name))
    .toSorted((one, other) => other.memoryMiB - one.memoryMiB)[0];
  const lost = simulated.find(
    (host) => host.enabled && (simulated.length < 3 || host !== drained) && host.name !== moved?.host,
  );
  if (simulated.length === 0) {
    return [
      `next: ${drover} host add NAME --uri URI, then ${drover} instance adopt NAME --all; ${drover} doctor checks all`,
    ];
  }
  const move = `${drover} instance live-migrate ${moved?.name} --host ${lost?.name} --bandwidth 200`;
  return [
    'try next, in another terminal:',
    `  ${drover} host list`,
    ...(drained === undefined
      ? []
      : [`  ${drover} host drain ${drained.name} --dry-run`, `  ${drover} host drain ${drained.name}`]),
    ...(moved === undefined || lost === undefined ? [] : [`  ${move}`]),
    ...(lost === undefined
      ? []
      : [`  ${drover} sim crash ${lost.name}          # and later: sim restore ${lost.name}`]),
    `  ${drover} run list`,
  ];
}

/** As it must be typed in the folder in which this one was typed. */
function commandFor({ data }: Config): string {
  const drover = process.env['npm_command'] === 'exec' ? 'npx drover' : 'drover';
  const folder = relative(process.cwd(), data);
  if (folder === '.drover') return drover;
  return `${drover} --data ${folder.startsWith('..') ? data : folder}`;
}
