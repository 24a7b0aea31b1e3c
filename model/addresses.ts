/** Names by which processes find each other: workflow ids and task queues. */
import type { HostRef } from './host.js';

export const controlQueue = (cloud: string): string => `drover-${cloud}`;

/** Recoveries have a queue and workers of their own: nothing else can keep them waiting. */
export const recoveryQueue = (cloud: string): string => `${controlQueue(cloud)}-recovery`;
const recoveries: ReadonlySet<string> = new Set([
  'host.recover',
  'host.readmit',
  'instance.evacuate',
  'fence-check',
]);
export const isRecovery = (workflowType: string): boolean => recoveries.has(workflowType);
/** Where workflows of that type run, unless a recovery starts them: what it needs runs with it. */
export const workflowQueue = (cloud: string, workflowType: string): string =>
  isRecovery(workflowType) ? recoveryQueue(cloud) : controlQueue(cloud);

/** Where a vantage point testifies. */
export const vantageQueue = (cloud: string, place: string): string =>
  `${controlQueue(cloud)}-vantage-${place}`;
/** Where a vantage point looks at a host from: `north`; `north@dc1` is that of the simulated datacenter dc1. */
export function vantagePlace(vantage: string, { uri }: Pick<HostRef, 'uri'>): string {
  const datacenter = datacenterOf(uri);
  return datacenter === null ? vantage : `${vantage}@${datacenter}`;
}
export const vantageOfPlace = (place: string): string => place.split('@')[0] ?? place;

/** The simulated datacenter in which a host is, of `sim://<datacenter>/<host>`; null for a real host. */
export const datacenterOf = (uri: string): string | null => /^sim:\/\/([^/]+)\//.exec(uri)?.[1] ?? null;

/**
 * Where the work on a host's disks is done: `host1` by a worker of its own, `host1@dc1` by the one worker that
 * serves all hosts of the simulated datacenter dc1 (`sim://dc1/host1`).
 */
export function workPlace({ name, uri }: HostRef): string {
  const datacenter = datacenterOf(uri);
  return datacenter === null ? name : `${name}@${datacenter}`;
}
export const hostOfPlace = (place: string): string => place.split('@')[0] ?? place;
export const hostQueue = (control: string, place: string): string =>
  `${control}-host-${place.split('@').at(-1) ?? place}`;

export const instanceWorkflowId = (cloud: string, id: string): string => `${cloud}/instance/${id}`;
/** Beside whatever runs on the instance: an evacuation supersedes that. The inventory admits one of them. */
export const evacuationWorkflowId = (cloud: string, id: string): string => `${cloud}/evacuate/${id}`;
export const hostWorkflowId = (cloud: string, name: string): string => `${cloud}/host/${name}`;
export const runWorkflowId = (cloud: string, id: string): string => `${cloud}/run/${id}`;
/** The alerts of one runbook with the same inputs, by a hash of these. */
export const alertWorkflowId = (cloud: string, runbook: string, hash: string): string =>
  `${cloud}/alert/${runbook}/${hash}`;
export const batchWorkflowId = (cloud: string, run: string, step: string, batch: number): string =>
  `${runWorkflowId(cloud, run)}/${step}/${batch}`;
/** What is to happen later, by the operation that left it. */
export const delayedWorkflowId = (cloud: string, operation: string): string => `${cloud}/later/${operation}`;
/** One recovery at a time of a host, however many ask for it. */
export const recoveryWorkflowId = (cloud: string, host: string): string => `${cloud}/recovery/${host}`;
/** What looks at the fence devices every so often. */
export const fenceCheckWorkflowId = (cloud: string): string => `${cloud}/fence-check`;
/** Of a schedule, and the beginning of the ids of what it starts. */
export const scheduleId = (cloud: string, name: string): string => `${cloud}/schedule/${name}`;
export const auditWorkflowId = (cloud: string): string => `${cloud}/audit`;
export const janitorWorkflowId = (cloud: string): string => `${cloud}/janitor`;

/** The id that admits one operation at a time on what `operation` (`instance.start`) changes. */
export function subjectWorkflowId(cloud: string, operation: string, subject: string): string {
  if (operation === 'instance.evacuate') return evacuationWorkflowId(cloud, subject);
  if (operation === 'host.recover') return recoveryWorkflowId(cloud, subject);
  return operation.startsWith('host.') ? hostWorkflowId(cloud, subject) : instanceWorkflowId(cloud, subject);
}
