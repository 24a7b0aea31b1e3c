/** A cloud whose hosts are lost, and what recoveries make of that. */
import { getHost } from '../../../activities/inventory/hosts.js';
import { listIncidentEvents, listIncidents } from '../../../activities/inventory/incidents.js';
import { giveFault, type Fault } from '../../../activities/simulator/faults.js';
import type { Incident } from '../../../model/incident.js';
import type { VirtualCloud, Asking } from '../../../virtual/cloud.js';
import type { Handle } from '../../../virtual/handle.js';
import { copiesOf } from '../../../activities/simulator/guests.js';
import { until } from './cloud.js';

export const strike = (cloud: VirtualCloud, fault: Fault): Promise<void> =>
  cloud.datacenter.transact((tx) => giveFault(tx, fault));

export const crash = (cloud: VirtualCloud, host = 'h1'): Promise<void> =>
  strike(cloud, { do: 'crash', hosts: [host] });

export const recover = (cloud: VirtualCloud, asking: Asking = {}, host = 'h1'): Handle =>
  cloud.operation('host.recover', { host }, asking);

/** The newest of the host. */
export async function incidentOf(cloud: VirtualCloud, host = 'h1'): Promise<Incident> {
  const [found] = await listIncidents(cloud.inventory, { host });
  if (found === undefined) throw new Error(`there is no incident of ${host}`);
  return found;
}

/** `fencing: h1/1 (bmc): …`. */
export async function logOf(cloud: VirtualCloud, host = 'h1'): Promise<string[]> {
  const [found] = await listIncidents(cloud.inventory, { host });
  const lines = found === undefined ? [] : await listIncidentEvents(cloud.inventory, found.id);
  return lines.map(({ phase, says }) => `${phase}: ${says}`);
}

/** Lets time pass until it asks somebody; answers what. */
export async function asked(cloud: VirtualCloud, host = 'h1'): Promise<string> {
  await until(cloud, 'it asks a person', async () => (await waitsFor(cloud, host)) !== null);
  return (await waitsFor(cloud, host)) ?? '';
}

async function waitsFor(cloud: VirtualCloud, host: string): Promise<string | null> {
  const [found] = await listIncidents(cloud.inventory, { host });
  return found?.waitsFor ?? null;
}

export function answer(
  handle: Handle,
  action: 'approve' | 'reject' | 'attest',
  { by = 'ann', role = 'admin', comment }: { by?: string; role?: string; comment?: string } = {},
): Promise<unknown> {
  return handle.update(action, { by, role, way: null, ...(comment === undefined ? {} : { comment }) });
}

/** Where its guest runs, on hosts that have power. */
export async function runsOn(cloud: VirtualCloud, id: string): Promise<string[]> {
  const copies = await cloud.datacenter.transact((tx) => copiesOf(tx, id));
  return copies.filter(({ power }) => power === 'running').map(({ host }) => host);
}

export const fenceOf = async (cloud: VirtualCloud, host = 'h1') =>
  (await getHost(cloud.inventory, host)).fence;
