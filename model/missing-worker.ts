/** Nobody took a task that only one place can do. */
import { DroverError } from './errors.js';

export const hostWorkerMissing = (host: string, what: string): DroverError =>
  new DroverError('HostWorkerMissing', `no drover worker of host ${host} took the work (${what})`, {
    hint: `run \`drover worker --host ${host}\` on ${host}`,
  });

export const vantageMissing = (vantage: string, what: string): DroverError =>
  new DroverError('VantageMissing', `no worker of the vantage point ${vantage} took the work (${what})`, {
    details: { vantage },
    hint: `run \`drover worker --vantage ${vantage}\` there, and see that it reaches Temporal`,
  });
