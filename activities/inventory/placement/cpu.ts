/** Whether a running guest finds on the target the processor that it has on its source. */
import type { Candidate, Wanted } from './request.js';
import { isLive } from './request.js';

/** Modes that give the guest what its host has; with any other the hypervisor makes the same processor anywhere. */
const ofTheHost = ['host-passthrough', 'host-model', 'maximum'];

/** Whether the rule has anything to say. */
export const asksCpu = (wanted: Wanted): boolean => isLive(wanted) && Boolean(wanted.source?.cpu);

/** What nobody has looked at passes: the hypervisor checks it again. */
export function cpuRefusal(host: Candidate, wanted: Wanted): string | undefined {
  const from = wanted.source?.cpu;
  if (!asksCpu(wanted) || !from || !host.cpu) return undefined;
  const { cpuMode } = wanted.subject;
  const { arch, vendor, model, features } = host.cpu;
  if (arch !== from.arch)
    return `its processors are ${arch}, those of ${wanted.source?.name} are ${from.arch}`;
  if (cpuMode === null || !ofTheHost.includes(cpuMode)) return undefined;
  if (vendor !== from.vendor)
    return `its processors are of ${vendor}, the guest (${cpuMode}) runs on those of ${from.vendor}`;
  const has = new Set(features);
  const missing = from.features.filter((feature) => !has.has(feature));
  if (missing.length === 0) return undefined;
  const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
  return `its ${model} lacks ${missing.length} ${missing.length === 1 ? 'feature' : 'features'} of the ${from.model} on which the guest (${cpuMode}) runs: ${shown}`;
}
