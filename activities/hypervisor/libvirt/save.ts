import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';

/** Into a file of libvirt's own, which survives a reboot of the host. */
export const saveArgs = (id: string): string[] => ['managedsave', '--domain', id];
/** A start takes the file where there is one, and removes it; one that can't be read is removed, and the guest boots. */
export const restoreArgs = (id: string): string[] => ['start', '--domain', id];

export const nothingSaved = (host: HostRef, name: string): DroverError =>
  new DroverError('StaleSavedState', `${host.name} has no saved memory of ${name}`, {
    details: { host: host.name },
  });
