import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Capability, Hypervisor } from './port.js';

/**
 * One hypervisor over several drivers: each call goes to the one to which the host's address leads. `capabilities`
 * are what every host has that an inventory may hold: an inventory has hosts of one kind, but which is not known
 * before the first of them is added.
 */
export function routeHypervisor(
  capabilities: ReadonlySet<Capability>,
  of: (host: HostRef) => Hypervisor,
): Hypervisor {
  return {
    capabilities,
    facts: async (host) => of(host).facts(host),
    list: async (host) => of(host).list(host),
    names: async (host) => of(host).names(host),
    powers: async (host) => of(host).powers(host),
    watch: async (host, tell, signal) => of(host).watch(host, tell, signal),
    look: async (host, id) => of(host).look(host, id),
    define: async (host, spec, stamp) => of(host).define(host, spec, stamp),
    defineFrom: async (host, ...rest) => of(host).defineFrom(host, ...rest),
    stamp: async (host, guest, stamp) => of(host).stamp(host, guest, stamp),
    start: async (host, id, seen) => of(host).start(host, id, seen),
    save: async (host, id) => of(host).save(host, id),
    restore: async (host, id) => of(host).restore(host, id),
    requestShutdown: async (host, id) => of(host).requestShutdown(host, id),
    requestReboot: async (host, id) => of(host).requestReboot(host, id),
    destroy: async (host, id) => of(host).destroy(host, id),
    pause: async (host, id) => of(host).pause(host, id),
    unpause: async (host, id) => of(host).unpause(host, id),
    undefine: async (host, id) => of(host).undefine(host, id),
    disableAutostart: async (host, id) => of(host).disableAutostart(host, id),
    async copyDefinition(source, target, id) {
      const driver = of(source);
      if (driver === of(target)) return driver.copyDefinition(source, target, id);
      throw new DroverError(
        'Unsupported',
        `a guest cannot move from ${source.uri} to ${target.uri}: those are hosts of two kinds`,
      );
    },
    resizeDefinition: async (host, id, size) => of(host).resizeDefinition(host, id, size),
    async startMigration(move) {
      const driver = of(move.source);
      if (driver === of(move.target)) return driver.startMigration(move);
      throw new DroverError(
        'Unsupported',
        `a guest cannot move live from ${move.source.uri} to ${move.target.uri}: those are hosts of two kinds`,
      );
    },
    job: async (host, id) => of(host).job(host, id),
    abortJob: async (host, id) => of(host).abortJob(host, id),
    setMaxDowntime: async (host, id, ms) => of(host).setMaxDowntime(host, id, ms),
    setBandwidth: async (host, id, cap) => of(host).setBandwidth(host, id, cap),
    startPostCopy: async (host, id) => of(host).startPostCopy(host, id),
    resumePostCopy: async (move) => of(move.source).resumePostCopy(move),
    completedMigration: async (host, id) => of(host).completedMigration(host, id),
    consoleCommand: (host, id) => of(host).consoleCommand(host, id),
  };
}
