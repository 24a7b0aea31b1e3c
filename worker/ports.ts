/** The only place that names drivers: which hypervisor a worker drives. */
import type { Hypervisor } from '../activities/hypervisor/port.js';
import { createLibvirt } from '../activities/hypervisor/libvirt/index.js';

export const hypervisor = (): Hypervisor => createLibvirt();
