import type { HostRef } from '../../model/host.js';
import type { Signal } from '../../model/incident.js';

/** The ways from a vantage point to a host. Each ends within seconds, whatever the host does. */
export interface Reach {
  hypervisor(host: HostRef): Promise<Signal>;
  network(host: HostRef): Promise<Signal>;
}
