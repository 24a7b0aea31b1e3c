/** The processors of simulated hosts: each generation does all that those before it do, and more. */
import type { HostCpu } from '../../model/host.js';
import type { GuestRow } from './guests.js';
import type { HostRow } from './hosts.js';

const common = ['aes', 'apic', 'avx', 'cx16', 'fpu', 'pae', 'sse2', 'ssse3', 'vme', 'xsave'];
/** What came with the second generation, the third, and so on. */
const added = [['avx2', 'bmi2', 'fma'], ['avx512f', 'clwb'], ['vaes', 'gfni'], ['amx-tile']];

export const generations = added.length + 1;

export const cpuOf = ({ generation }: Pick<HostRow, 'generation'>): HostCpu => ({
  arch: 'x86_64',
  vendor: 'Simulated',
  model: `Generation-${generation}`,
  features: [...common, ...added.slice(0, generation - 1).flat()].toSorted(),
});

export const networksOf = (row: Pick<HostRow | GuestRow, 'networks'>): string[] =>
  JSON.parse(row.networks) as string[];

/** Why the target can't take the running guest, in libvirt's words. */
export function refusalOfMachine(source: HostRow, target: HostRow, guest: GuestRow): string | null {
  const has = networksOf(target);
  const missing = networksOf(guest).find((name) => !has.includes(name));
  if (missing !== undefined) return `Cannot get interface MTU on '${missing}': No such device`;
  if (guest.cpu_mode === 'custom') return null;
  const { features } = cpuOf(target);
  const lacks = cpuOf(source).features.filter((feature) => !features.includes(feature));
  return lacks.length === 0
    ? null
    : `operation failed: guest CPU doesn't match specification: missing features: ${lacks.join(',')}`;
}
