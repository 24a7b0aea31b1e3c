/** How a scenario ended, in what a simulated and a real datacenter can be compared by. */
import { listHosts } from '../../../activities/inventory/hosts.js';
import { history, listInstances } from '../../../activities/inventory/instances.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';

export interface EndState {
  /** `h1: up, disabled, 1 instances, 0 slots`. */
  hosts: string[];
  /** `web-1: active, running on h2`. */
  instances: string[];
  /** Of each instance, the oldest first: `web-1: live-migrate failed MigrationFailed`. */
  operations: string[];
}

interface HostSeen {
  name: string;
  state: string;
  enabled: boolean;
  instances: number;
  slotsUsed: number;
}

interface InstanceSeen {
  name: string;
  state: string;
  powerState: string;
  host: string | null;
  task: string | null;
  needsRepair: string | null;
}

interface OperationSeen {
  kind: string;
  state: string;
  error: { code: string } | null;
}

export const hostLine = ({ name, state, enabled, instances, slotsUsed }: HostSeen): string =>
  `${name}: ${state}, ${enabled ? 'enabled' : 'disabled'}, ${instances} instances, ${slotsUsed} slots`;

export const instanceLine = ({ name, state, powerState, host, task, needsRepair }: InstanceSeen): string =>
  `${name}: ${state}, ${powerState} on ${host}${task ? `, busy: ${task}` : ''}${needsRepair ? ', needs repair' : ''}`;

export const operationLine = (instance: string, { kind, state, error }: OperationSeen): string =>
  `${instance}: ${kind} ${state}${error ? ` ${error.code}` : ''}`;

export async function endStateOf({ inventory }: VirtualCloud): Promise<EndState> {
  const instances = await listInstances(inventory);
  const operations: string[] = [];
  for (const { id, name } of instances) {
    const done = (await history(inventory, id)).toReversed();
    operations.push(...done.map((one) => operationLine(name, one)));
  }
  return {
    hosts: (await listHosts(inventory)).map(hostLine),
    instances: instances.map(instanceLine),
    operations,
  };
}
