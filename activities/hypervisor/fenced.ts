import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Fence } from '../../model/incident.js';
import type { Hypervisor } from './port.js';

/**
 * The hypervisors as all may use them but a readmission: a host that is fenced is never called. What was proven of it is
 * that nothing runs there; what answers under its name may be about to boot what runs elsewhere by now. `fenceOf` is
 * asked at every call, since the fence may have come a moment ago.
 */
export function fencedHypervisor(
  hypervisor: Hypervisor,
  fenceOf: (host: string) => Promise<Fence | null>,
): Hypervisor {
  const free = async (...hosts: HostRef[]): Promise<void> => {
    for (const { name } of hosts) {
      const fence = await fenceOf(name);
      if (fence !== null) throw hostFenced(name, fence);
    }
  };
  /** A call whose first argument is the host. */
  const on =
    <A extends unknown[], R>(call: (host: HostRef, ...rest: A) => Promise<R>) =>
    async (host: HostRef, ...rest: A): Promise<R> => {
      await free(host);
      return call(host, ...rest);
    };
  const it = hypervisor;
  return {
    capabilities: it.capabilities,
    facts: on((host) => it.facts(host)),
    list: on((host) => it.list(host)),
    names: on((host) => it.names(host)),
    powers: on((host) => it.powers(host)),
    watch: on((host, ...rest: [Parameters<Hypervisor['watch']>[1], AbortSignal]) => it.watch(host, ...rest)),
    look: on((host, id: string) => it.look(host, id)),
    define: on((host, ...rest: Rest<'define'>) => it.define(host, ...rest)),
    defineFrom: on((host, ...rest: Rest<'defineFrom'>) => it.defineFrom(host, ...rest)),
    stamp: on((host, ...rest: Rest<'stamp'>) => it.stamp(host, ...rest)),
    start: on((host, ...rest: Rest<'start'>) => it.start(host, ...rest)),
    save: on((host, id: string) => it.save(host, id)),
    restore: on((host, id: string) => it.restore(host, id)),
    requestShutdown: on((host, id: string) => it.requestShutdown(host, id)),
    requestReboot: on((host, id: string) => it.requestReboot(host, id)),
    destroy: on((host, id: string) => it.destroy(host, id)),
    pause: on((host, id: string) => it.pause(host, id)),
    unpause: on((host, id: string) => it.unpause(host, id)),
    undefine: on((host, id: string) => it.undefine(host, id)),
    disableAutostart: on((host, id: string) => it.disableAutostart(host, id)),
    async copyDefinition(source, target, id) {
      await free(source, target);
      return it.copyDefinition(source, target, id);
    },
    resizeDefinition: on((host, ...rest: Rest<'resizeDefinition'>) => it.resizeDefinition(host, ...rest)),
    async startMigration(move) {
      await free(move.source, move.target);
      return it.startMigration(move);
    },
    job: on((host, id: string) => it.job(host, id)),
    abortJob: on((host, id: string) => it.abortJob(host, id)),
    setMaxDowntime: on((host, ...rest: Rest<'setMaxDowntime'>) => it.setMaxDowntime(host, ...rest)),
    setBandwidth: on((host, ...rest: Rest<'setBandwidth'>) => it.setBandwidth(host, ...rest)),
    startPostCopy: on((host, id: string) => it.startPostCopy(host, id)),
    async resumePostCopy(move) {
      await free(move.source, move.target);
      return it.resumePostCopy(move);
    },
    completedMigration: on((host, id: string) => it.completedMigration(host, id)),
    consoleCommand: (host, id) => it.consoleCommand(host, id),
  };
}

type Rest<K extends keyof Hypervisor> = Hypervisor[K] extends (host: HostRef, ...rest: infer R) => unknown
  ? R
  : never;

export function hostFenced(host: string, { incident, at, state }: Fence): DroverError {
  const how = state === 'held' ? 'fenced' : 'fenced, and not readmitted yet';
  return new DroverError(
    'HostFenced',
    `${host} is ${how} since ${at} (incident ${incident}): nothing is asked of it`,
    {
      details: { host, incident },
      hint: `once it is repaired: drover host readmit ${host}; what it had is brought back by \`drover host recover ${host}\``,
    },
  );
}

export const isFenced = (error: unknown): boolean =>
  error instanceof DroverError && error.code === 'HostFenced';
