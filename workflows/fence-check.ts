/**
 * Whether each host could be fenced, asked while nobody needs it: by a Temporal Schedule, or by a person. Its devices, and
 * what the platform itself has armed on it, which only counts if it was seen before an outage.
 */
import { workPlace } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { isReady, type CheckedHost, type SelfFence } from '../model/fence-check.js';
import { pool } from './pool.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

export interface FenceCheckOrder {
  /** null for all. */
  hosts: string[] | null;
}

export interface FenceCheckAnswer {
  /** Of a round over all hosts only those that could not be fenced: the others are in the inventory. */
  hosts: CheckedHost[];
  armed: { host: string; heard: boolean; armed: SelfFence | null }[];
}

const workersAtOnce = 50;
/** So long the worker of a host may take. */
const workerSeconds = 15;

export async function runFenceCheck(
  given: Partial<FenceCheckOrder> | null,
  rt: Runtime,
): Promise<FenceCheckAnswer> {
  const hosts = given?.hosts ?? null;
  const { checked, ask } = await rt.activity('checkFences', { hosts });
  const armed: FenceCheckAnswer['armed'] = [];
  await pool(
    ask,
    workersAtOnce,
    () => !rt.cancelled(),
    async (host) => {
      try {
        const found = await rt.activity('selfFence', {}, { onHost: workPlace(host), within: workerSeconds });
        armed.push({ host: host.name, heard: true, armed: found.armed });
      } catch (cause) {
        // Its worker may be away, or the host is dying just now: then what was known before counts.
        asDroverError(cause);
        armed.push({ host: host.name, heard: false, armed: null });
      }
    },
  );
  if (rt.cancelled()) throw new DroverError('Cancelled', 'the check of fence devices was cancelled');
  armed.sort((one, other) => (one.host < other.host ? -1 : 1));
  if (armed.length > 0) await rt.activity('recordSelfFences', { seen: armed });
  const broken = checked.filter((host) => !host.devices.some((device) => isReady(device, host)));
  const told = broken.map(({ host, devices }) => `- ${host}: ${devices[0]?.error ?? 'has no fence device'}`);
  rt.show('done', [`${checked.length} hosts, ${broken.length} could not be fenced.`, ...told].join('\n'));
  return { hosts: hosts === null ? broken : checked, armed: hosts === null ? [] : armed };
}
