/** What a guest did by itself, or somebody did to it behind drover's back, of what it was and what is seen. Pure. */
import type { Sighting } from '../activities/types.js';
import type { Happened, Instance, RestartPolicy } from '../model/instance.js';
import type { InstancePatch } from '../model/operation.js';

type Ending = 'crashed' | 'host-lost' | 'shut-down' | 'destroyed';

/** Ends that each policy brings a guest back from; what a person wanted it to be is left so. */
const bringsBack: Record<RestartPolicy, readonly string[]> = {
  never: [],
  'on-crash': ['crashed', 'host-lost'] satisfies Ending[],
  always: ['crashed', 'host-lost', 'shut-down', 'destroyed'] satisfies Ending[],
};

export const isBroughtBack = (policy: RestartPolicy, event: string): boolean =>
  bringsBack[policy].includes(event);

/** `seen` is where it is now; null when nothing happened that has to be told. */
export function whatHappened(
  before: Instance,
  patch: InstancePatch,
  seen: Sighting | undefined,
): Happened | null {
  const { state: was, name } = before;
  const now = patch.state ?? was;
  if (seen === undefined || now === was) return null;
  const host = seen.host;
  const reason = seen.reason ?? '';
  const start = `start it: drover instance start ${name}`;
  const told = (event: string, cause: string, todo: string): Happened => ({
    event,
    detail: reason === '' ? seen.power : `${seen.power} (${reason})`,
    cause,
    todo,
  });
  if (was === 'suspended' && now === 'stopped') return told('memory-lost', 'its saved memory is gone', start);
  if (now === 'suspended')
    return told(
      'saved',
      `its memory was saved on ${host}, and no suspend of it was completed`,
      `go on from it with virsh start ${before.id}, or boot it: drover instance resume ${name} --discard-memory`,
    );
  if (was !== 'active' && was !== 'paused')
    return now === 'active' ? told('started', `somebody started it on ${host}`, 'nothing') : null;
  if (now === 'paused') return standstill(reason, host, name, told);
  if (now === 'active') return told('unpaused', `somebody let it go on on ${host}`, 'nothing');
  if (now === 'error' && seen.power === 'absent')
    return told(
      'gone',
      `${host} knows no guest of it any more`,
      `look where it is: drover instance show ${name}`,
    );
  if (now !== 'stopped') return null;
  const { event, cause } = ending(reason, host, was === 'paused');
  return told(event, cause, start);
}

type Tell = (event: string, cause: string, todo: string) => Happened;

function standstill(reason: string, host: string, name: string, told: Tell): Happened {
  const goOn = `drover instance unpause ${name}`;
  if (reason === 'I/O error')
    return told(
      'io-error',
      `a disk of it failed on ${host}, and it stands still`,
      `mend the storage (is it full?), then: ${goOn}`,
    );
  if (reason === 'watchdog')
    return told('watchdog', `its watchdog stopped it on ${host}`, `look at its log, then: ${goOn}`);
  return told('paused', `somebody paused it on ${host}`, `let it go on: ${goOn}`);
}

function ending(reason: string, host: string, wasPaused: boolean): { event: Ending; cause: string } {
  const lost = wasPaused ? '; the memory in which it was paused is lost' : '';
  switch (reason) {
    case 'crashed':
    case 'failed':
      return { event: 'crashed', cause: `its process on ${host} died${lost}` };
    case 'shutdown':
      return { event: 'shut-down', cause: `it was shut down on ${host}, from inside or by hand${lost}` };
    case 'destroyed':
      return { event: 'destroyed', cause: `somebody ended it on ${host}${lost}` };
    default:
      // A hypervisor that began anew doesn't know any more how its guests ended.
      return { event: 'host-lost', cause: `${host} went down or was rebooted under it${lost}` };
  }
}
