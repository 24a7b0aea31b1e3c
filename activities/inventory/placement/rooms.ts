/** Room on a host, in the words of a refusal and in figures. */
import type { Candidate } from './request.js';

export const cpus = (count: number): string => `${count} ${count === 1 ? 'vCPU' : 'vCPUs'}`;

export const memoryCapacity = (host: Candidate): number => host.memoryMiB - host.memoryMiBReserved;
export const freeMemory = (host: Candidate): number => memoryCapacity(host) - host.memoryMiBUsed;
export const vcpuCapacity = (host: Candidate): number => Math.floor(host.vcpus * host.cpuOvercommit);
export const freeVcpus = (host: Candidate): number => vcpuCapacity(host) - host.vcpusUsed;
