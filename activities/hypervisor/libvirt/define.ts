import type { GuestSpec } from '../port.js';
import type { Owner } from '../../../model/operation.js';
import { NAMESPACE, writeXml } from './xml.js';

/** What the host can run, of `virsh domcapabilities`. */
export interface Machine {
  domain: 'kvm' | 'qemu';
  arch: string;
  path: string;
}

/** Where qemu keeps the serial console's output on the host. */
export const serialLogOf = (name: string): string => `/var/log/libvirt/qemu/${name}.serial`;

/**
 * The definition of a guest that drover launches. Caching is off: without that libvirt refuses to migrate,
 * and a host that dies takes acknowledged writes with it. No autostart: a host that comes back must not
 * start guests that may run elsewhere by now.
 */
export function domainXml(spec: GuestSpec, stamp: Owner, machine: Machine): string {
  const log = { '@file': serialLogOf(spec.name), '@append': 'on' };
  return writeXml({
    domain: {
      '@type': machine.domain,
      name: spec.name,
      uuid: spec.id,
      metadata: {
        'drover:stamp': { '@xmlns:drover': NAMESPACE, '@operation': stamp.operation, '@epoch': stamp.epoch },
      },
      memory: { '@unit': 'MiB', '#': spec.memoryMiB },
      vcpu: spec.vcpus,
      os: { type: { '@arch': machine.arch, '@machine': 'pc', '#': 'hvm' }, boot: { '@dev': 'hd' } },
      features: { acpi: {}, apic: {} },
      ...(machine.domain === 'kvm' ? { cpu: { '@mode': 'host-model' } } : {}),
      clock: { '@offset': 'utc' },
      on_poweroff: 'destroy',
      on_reboot: 'restart',
      on_crash: 'destroy',
      devices: {
        emulator: machine.path,
        disk: spec.disks.map((disk) => ({
          '@type': 'file',
          '@device': 'disk',
          driver: { '@name': 'qemu', '@type': disk.format, '@cache': 'none' },
          source: { '@file': disk.path },
          target: { '@dev': disk.target, '@bus': 'virtio' },
          ...(disk.readonly ? { readonly: {} } : {}),
        })),
        interface: spec.bridges.map((bridge) => ({
          '@type': 'bridge',
          source: { '@bridge': bridge },
          model: { '@type': 'virtio' },
        })),
        serial: { '@type': 'pty', log, target: { '@port': 0 } },
        console: { '@type': 'pty', target: { '@type': 'serial', '@port': 0 } },
        controller: { '@type': 'usb', '@model': 'none' },
        memballoon: { '@model': 'virtio' },
        rng: { '@model': 'virtio', backend: { '@model': 'random', '#': '/dev/urandom' } },
      },
    },
  });
}
