/** Names by which processes find each other: workflow ids and task queues. */

export const controlQueue = (cloud: string): string => `drover-${cloud}`;
export const hostQueue = (control: string, host: string): string => `${control}-host-${host}`;

export const instanceWorkflowId = (cloud: string, id: string): string => `${cloud}/instance/${id}`;
export const hostWorkflowId = (cloud: string, name: string): string => `${cloud}/host/${name}`;
export const runWorkflowId = (cloud: string, id: string): string => `${cloud}/run/${id}`;
export const janitorWorkflowId = (cloud: string): string => `${cloud}/janitor`;

/** The id that admits one operation at a time on what `operation` (`instance.start`) changes. */
export function subjectWorkflowId(cloud: string, operation: string, subject: string): string {
  return operation.startsWith('host.') ? hostWorkflowId(cloud, subject) : instanceWorkflowId(cloud, subject);
}
