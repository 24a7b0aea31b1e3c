import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';

/** The connection is gone or never was. A message about a connection that the *host* makes is not meant. */
const unreachable = [
  'failed to connect to the hypervisor',
  'client socket is closed',
  'keepalive',
  'Disconnected from',
  'End of file while reading data',
  'Cannot recv data',
  'Cannot write data',
  'connection closed due to',
];
/** The host answers, and says no: trying again does not help. */
const refusedConnection = [
  'authentication failed',
  'no connection driver available',
  'not a valid URI',
  'uri must',
];
const absent = ['failed to get domain', 'Domain not found', 'no domain with matching'];

const includesAny = (text: string, parts: string[]): boolean => parts.some((part) => text.includes(part));

/** What virsh says on stderr as one line: without its `error: `, its empty lines and repetitions. */
export function plainMessage(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^error: /, '').trim());
  const said = lines.filter((line, index) => line !== '' && lines.indexOf(line) === index);
  const text = said.join(': ').replaceAll('::', ':');
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

export function toDroverError(host: HostRef, stderr: string): DroverError {
  const message = plainMessage(stderr) || 'virsh failed without a message';
  const details = { host: host.name };
  const told = `${host.name}: ${message}`;
  if (includesAny(message, refusedConnection)) return new DroverError('HypervisorError', told, { details });
  if (includesAny(message, unreachable)) return new DroverError('HypervisorUnreachable', told, { details });
  if (includesAny(message, absent)) return new DroverError('NotFound', told, { details });
  if (message.includes('managed save image exists')) {
    const hint =
      'a saved memory image lies in /var/lib/libvirt/qemu/save that libvirt does not list: restart libvirtd (guests go ' +
      'on), then it knows of it, and it goes with the definition';
    return new DroverError('StaleSavedState', told, { details, hint });
  }
  if (message.includes('Unsafe migration')) {
    const hint =
      'libvirt does not take the storage of the disk as shared between the hosts. Mount it through NFS, CephFS, GFS2 ' +
      'or the like on both hosts, or use a block migration, which copies the disk.';
    return new DroverError('HypervisorError', told, { details, hint });
  }
  return new DroverError('HypervisorError', told, { details });
}
