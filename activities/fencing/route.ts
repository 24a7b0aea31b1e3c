import type { HostRef } from '../../model/host.js';
import type { Fencing } from './port.js';

/** One port over several drivers: each call goes to the one to which the host's address leads. */
export function routeFencing(of: (host: HostRef) => Fencing): Fencing {
  return {
    devices: async (host) => of(host).devices(host),
    countsSelfFence: async (host) => of(host).countsSelfFence(host),
    identify: async (host, device, systemUuid) => of(host).identify(host, device, systemUuid),
    status: async (host, device) => of(host).status(host, device),
    off: async (host, device) => of(host).off(host, device),
    on: async (host, device) => of(host).on(host, device),
  };
}
