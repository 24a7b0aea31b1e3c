/** `off` by a device that certainly has the power of the host, or by the operator's word. */
import { isBound } from '../../model/fence-check.js';
import type { HostRef } from '../../model/host.js';
import type { Binding, FenceAnswer, Fencing } from './port.js';

export async function fenceOff(
  fencing: Fencing,
  { host, device, systemUuid }: { host: HostRef; device: string; systemUuid: string | null },
): Promise<{ binding: Binding; answer: FenceAnswer }> {
  const binding = await fencing.identify(host, device, systemUuid);
  if (isBound(binding)) return { binding, answer: await fencing.off(host, device) };
  if (binding.binding === 'other') return { binding, answer: refused(`${device} ${anothers(host.name)}`) };
  // One that does not answer at all says why; only one that does is refused for what it can't tell.
  const now = await fencing.status(host, device);
  return { binding, answer: now.ok ? refused(`${device} ${unbound(host.name, binding.says)}`) : now };
}

const refused = (error: string): FenceAnswer => ({ ok: false, why: 'refused', error, seconds: 0 });
const anothers = (host: string): string =>
  `was not used: it has the power of another machine than ${host}. Correct its cabling or its address in drover.yaml`;
const unbound = (host: string, says: string): string =>
  `was not used: nothing shows that it has the power of ${host} (${says}). Once you have looked, say so in drover.yaml: \`trust_binding: true\` at this device`;
