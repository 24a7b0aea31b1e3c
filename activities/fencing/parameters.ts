/** The parameters of a device as its agent takes them, checked against what the agent tells of itself. */
import type { FenceDeviceConfig } from '../../model/fence-devices.js';
import { didYouMean } from '../../model/did-you-mean.js';
import type { AgentFacts } from './metadata.js';

export interface WrongParameter {
  /** Within the device: `['with', 'ipp']`; empty for the device as a whole. */
  path: string[];
  message: string;
  hint: string;
}

/** An agent only warns of a name that it does not know, and goes on without: here it is refused. */
export function wrongParameters(device: FenceDeviceConfig, facts: AgentFacts | null): WrongParameter[] {
  const { agent } = device;
  if (facts === null) {
    const hint = 'install it where the recovery workers run: apt-get install fence-agents';
    return [{ path: ['agent'], message: `${agent} is not installed on this machine`, hint }];
  }
  return (['with', 'secrets'] as const).flatMap((part) =>
    Object.keys(device[part])
      .filter((key) => !facts.parameters.has(key))
      .map((key) => {
        const meant = didYouMean(key, facts.parameters.keys());
        const hint = meant === undefined ? `see \`${agent} -o metadata\`` : `did you mean "${meant}"?`;
        return { path: [part, key], message: `${agent} has no parameter "${key}"`, hint };
      }),
  );
}

/**
 * A line each. A `0` that is the default anyway is left out: fence_redfish takes `ssl_insecure=0` for a yes, since it
 * looks only whether the parameter is there.
 */
export function parameterLines(
  action: 'on' | 'off' | 'status',
  given: Readonly<Record<string, string>>,
  { parameters }: AgentFacts,
): string {
  const lines = Object.entries(given)
    .filter(
      ([key, value]) =>
        !(isNo(value) && parameters.get(key)?.type === 'boolean' && isNo(parameters.get(key)?.default)),
    )
    .map(([key, value]) => `${key}=${value}`);
  return [...lines, `action=${action}`, ''].join('\n');
}

const isNo = (value: string | undefined): boolean =>
  value === undefined || ['', '0', 'no', 'off', 'false'].includes(value.toLowerCase());
export const isYes = (value: string | undefined): boolean => !isNo(value);
