import { z } from 'zod';
import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import { incomingJob, type GuestView, type Hypervisor } from '../port.js';
import { copyDefinition, resizeDefinition } from './cold.js';
import { domainXml } from './define.js';
import { defineFrom, defineXml } from './define-from.js';
import { parseCompleted, parseJob } from './job.js';
import { spawnClient } from './client.js';
import { resumeArgs, spawnMigration } from './migrate.js';
import { guestPowers } from './powers.js';
import { nothingSaved, restoreArgs, saveArgs } from './save.js';
import { stampXml } from './stamp.js';
import { hostFacts, listGuests, nameGuests, viewGuests } from './view.js';
import { createVirsh, type VirshOptions } from './virsh.js';
import { watchGuests } from './watch.js';
import { NAMESPACE, parseDomainCapabilities } from './xml.js';

export interface LibvirtOptions extends VirshOptions {
  /** Limit of `facts`, in ms; default 5 000: it is the probe that tells whether a host is up. */
  probeMs?: number;
}

/** The hypervisor port over `virsh`. Only ids that are UUIDs reach its command line, never names. */
export function createLibvirt(options: LibvirtOptions = {}): Hypervisor {
  const virsh = createVirsh(options);
  const { probeMs = 5000 } = options;

  async function look(host: HostRef, id: string): Promise<GuestView | null> {
    const [view = null] = await viewGuests(virsh, host, [checked(id)]);
    return view;
  }

  /**
   * Looks, changes only when it is needed, and looks again when the change failed: what has come about all
   * the same (a retry that crossed its own first attempt) is success.
   */
  async function change(
    host: HostRef,
    id: string,
    already: (view: GuestView | null) => boolean,
    args: string[],
    seen?: GuestView,
  ): Promise<void> {
    const before = seen?.id === checked(id) ? seen : await look(host, id);
    if (already(before)) return;
    if (before === null) throw new DroverError('NotFound', `${host.name} has no guest ${id}`);
    if (before.power === 'migrating' && args[0] !== 'destroy') {
      throw new DroverError(
        'HypervisorError',
        `${host.name}: ${before.name} is being migrated; it can't ${args[0]} now`,
      );
    }
    try {
      await virsh.change(host, args);
    } catch (error) {
      if (!already(await look(host, id))) throw error;
    }
  }

  return {
    capabilities: new Set([
      'launch',
      'pause',
      'suspend',
      'liveMigration',
      'coldMigration',
      'blockMigration',
      'console',
    ] as const),
    facts: (host) => hostFacts(virsh, host, probeMs),
    list: (host) => listGuests(virsh, host),
    names: (host) => nameGuests(virsh, host),
    powers: (host) => guestPowers(virsh, host),
    watch: (host, tell, signal) => watchGuests(virsh, host, tell, signal),
    look,

    async define(host, spec, stamp) {
      const before = await look(host, spec.id);
      if (before !== null && isOn(before)) return;
      const machine = parseDomainCapabilities(await virsh.read(host, ['domcapabilities']));
      const xml = domainXml({ ...spec, id: checked(spec.id) }, stamp, machine);
      await defineXml(virsh, host, xml, ['--validate']);
    },

    defineFrom: async (host, id, definition, stamp, seen) =>
      defineFrom(virsh, host, {
        id: checked(id),
        definition,
        stamp,
        before: seen === undefined ? await look(host, id) : seen,
      }),

    async stamp(host, view, stamp) {
      // A running guest has two definitions, of now and of the next start: both must tell the same.
      const where = [...(isOn(view) ? ['--live'] : []), ...(view.persistent ? ['--config'] : [])];
      const what = ['--uri', NAMESPACE, '--key', 'drover', '--set', stampXml(stamp)];
      await virsh.change(host, ['metadata', '--domain', checked(view.id), ...what, ...where]);
    },

    // A memory image that lies there would be restored over a newer disk, even one that libvirt says there is none of.
    start: (host, id, seen) =>
      change(
        host,
        id,
        (view) => view !== null && isUp(view),
        ['start', '--domain', id, '--force-boot'],
        seen,
      ),
    async save(host, id) {
      if ((await look(host, id)) === null)
        throw new DroverError('NotFound', `${host.name} has no guest ${id}`);
      return { ended: spawnClient(virsh.file, host, saveArgs(id)) };
    },
    async restore(host, id) {
      const view = await look(host, id);
      if (view === null) throw new DroverError('NotFound', `${host.name} has no guest ${id}`);
      if (!view.managedSave) throw nothingSaved(host, view.name);
      return { ended: spawnClient(virsh.file, host, restoreArgs(id)) };
    },
    destroy: (host, id) =>
      change(host, id, (view) => view === null || !isOn(view), ['destroy', '--domain', id]),
    pause: (host, id) => change(host, id, (view) => view?.power === 'paused', ['suspend', '--domain', id]),

    async unpause(host, id) {
      const view = await look(host, id);
      // Half of its memory is on the other host: the guest would go on from a state that never was.
      if (view !== null && view.postCopy !== null) {
        throw new DroverError(
          'HypervisorError',
          `${host.name}: ${view.name} is paused (${view.reason}) and must not be resumed`,
        );
      }
      if (view?.power === 'migrating' && view.persistent)
        await virsh.change(host, ['resume', '--domain', id]);
      else await change(host, id, (now) => now?.power === 'running', ['resume', '--domain', id]);
    },

    async requestShutdown(host, id) {
      await virsh.change(host, ['shutdown', '--domain', checked(id), '--mode', 'acpi']);
    },
    async requestReboot(host, id) {
      await virsh.change(host, ['reboot', '--domain', checked(id), '--mode', 'acpi']);
    },

    async undefine(host, id) {
      const view = await look(host, id);
      if (view === null) return;
      // virsh would undefine a running guest as well: it would go on and be gone for good at its next stop.
      if (isOn(view))
        throw new DroverError(
          'HypervisorError',
          `${host.name}: ${view.name} is ${view.power}; it must be off to be undefined`,
        );
      // What belongs to the definition goes with it: above all a saved memory image, which libvirt would
      // restore over a newer disk if a guest of that name were started here again. Not its NVRAM: on shared storage
      // that is the file of the guest that runs elsewhere by now.
      const belongings = ['--managed-save', '--snapshots-metadata', '--checkpoints-metadata', '--keep-nvram'];
      await change(host, id, (now) => now === null, ['undefine', '--domain', id, ...belongings]);
    },

    disableAutostart: (host, id) =>
      change(host, id, (view) => view?.autostart !== true, ['autostart', '--domain', id, '--disable']),
    copyDefinition: (source, target, id) => copyDefinition(virsh, look, { source, target, id }),
    resizeDefinition: (host, id, size) => resizeDefinition(virsh, look, host, { id, ...size }),

    async startMigration(move) {
      checked(move.id);
      return { ended: spawnMigration(virsh.file, move) };
    },

    async job(host, id) {
      try {
        return parseJob(await virsh.read(host, ['domjobinfo', '--domain', checked(id), '--rawstats']));
      } catch (error) {
        if (!(error instanceof DroverError)) throw error;
        if (error.message.includes('available only on the source host')) return incomingJob;
        if (error.code === 'NotFound' || error.message.includes('domain is not running')) return null;
        throw error;
      }
    },

    async abortJob(host, id) {
      try {
        await virsh.change(host, ['domjobabort', '--domain', checked(id)]);
      } catch (error) {
        if (!(error instanceof DroverError)) throw error;
        const over =
          error.code === 'NotFound' ||
          ['no job is active', 'domain is not running'].some((text) => error.message.includes(text));
        if (!over) throw error;
      }
    },

    async setMaxDowntime(host, id, ms) {
      await virsh.change(host, ['migrate-setmaxdowntime', '--domain', checked(id), '--downtime', String(ms)]);
    },
    async setBandwidth(host, id, cap) {
      await virsh.change(host, [
        'migrate-setspeed',
        '--domain',
        checked(id),
        '--bandwidth',
        String(cap ?? NO_CAP),
      ]);
    },
    async startPostCopy(host, id) {
      await virsh.change(host, ['migrate-postcopy', '--domain', checked(id)]);
    },
    async resumePostCopy(move) {
      checked(move.id);
      await virsh.change(move.source, resumeArgs(move), RESUME_MS);
    },

    async completedMigration(host, id) {
      // Without --keep-completed libvirt forgets the figures once they were read; a retry reads them again.
      const args = ['domjobinfo', '--domain', checked(id), '--completed', '--keep-completed', '--rawstats'];
      try {
        return parseCompleted(await virsh.read(host, args));
      } catch (error) {
        if (error instanceof DroverError && error.code !== 'HypervisorUnreachable') return null;
        throw error;
      }
    },

    consoleCommand: (host, id) => ({
      file: virsh.file,
      args: ['--connect', host.uri, 'console', '--domain', checked(id)],
    }),
  };
}

/** What libvirt itself starts with: the most that QEMU can be told, in MiB per second. */
const NO_CAP = 8_796_093_022_207;
/** It waits until the rest of the memory is there. */
const RESUME_MS = 10 * 60_000;

/** A process of it exists on the host, whatever it does. */
const isOn = (view: GuestView): boolean => !['shutoff', 'crashed'].includes(view.power);
const isUp = (view: GuestView): boolean => view.power === 'running' || view.power === 'paused';

function checked(id: string): string {
  if (!z.guid().safeParse(id).success)
    throw new DroverError('InvalidInput', `not the id of a guest: ${JSON.stringify(id)}`);
  return id;
}
