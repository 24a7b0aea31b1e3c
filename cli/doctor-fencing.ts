/** Whether hosts could be fenced: what is configured, what this machine has of it, and how the devices were when they were asked last. */
import { deviceName } from '../activities/fencing/agents.js';
import { openAgents, type Agents } from '../activities/fencing/metadata.js';
import { wrongParameters } from '../activities/fencing/parameters.js';
import { fenceCheckOf } from '../activities/inventory/fence-checks.js';
import { checkSecret } from '../config/secrets.js';
import { issueIn } from '../config/config.js';
import type { FenceDeviceConfig } from '../model/fence-devices.js';
import { formatIssues } from '../config/yaml-file.js';
import { datacenterOf } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { isReady } from '../model/fence-check.js';
import type { Host } from '../model/host.js';
import type { Context } from './context.js';
import type { Check } from './doctor.js';

const name = 'fencing';
const page = 'docs/fencing.md';

export async function fencingChecks(context: Context, hosts: readonly Host[]): Promise<Check[]> {
  const { config } = context;
  const devices = Object.entries(config.fencing.hosts).flatMap(([host, all]) =>
    all.map((device, index) => ({ host, index, device })),
  );
  const agents = openAgents();
  const wrong = (
    await Promise.all(devices.map((one) => deviceChecks(one, { agents, file: config.file })))
  ).flat();
  const checks = [...wrong, ...unnamed(hosts, config.fencing.hosts), ...(await asked(context, hosts))];
  if (checks.length > 0) return checks;
  return hosts.length === 0 ? [] : [check('ok', 'every host has a fence device that answered', null)];
}

/** One device, as this machine could use it. */
async function deviceChecks(
  { host, index, device }: { host: string; index: number; device: FenceDeviceConfig },
  { agents, file }: { agents: Agents; file: string | undefined },
): Promise<Check[]> {
  const told = deviceName(host, index, device);
  const secrets = await Promise.all(
    Object.values(device.secrets).map((reference) => checkSecret(reference, process.env)),
  );
  const unsafe = secrets.flatMap((problem) =>
    problem === null
      ? []
      : check(
          'warning',
          `${told}: ${problem}`,
          'where recoveries are served (`drover worker`) it must be readable, by that user alone',
        ),
  );
  try {
    const issues = wrongParameters(device, await agents(device.agent));
    if (issues.length === 0 || file === undefined) return unsafe;
    const issue = await issueIn(file);
    const wrong = issues.map(({ path, message, hint }) => {
      const missing = path[0] === 'agent';
      const placed = formatIssues([
        issue(['fencing', 'hosts', host, index, ...path], message, { atKey: !missing }),
      ]);
      // Another machine may serve recoveries.
      return check(missing ? 'warning' : 'failed', placed, hint);
    });
    return [...wrong, ...unsafe];
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    return [check('failed', error.message, error.hint), ...unsafe];
  }
}

function* unnamed(hosts: readonly Host[], configured: Record<string, unknown>): Generator<Check> {
  const real = hosts.filter(({ uri }) => datacenterOf(uri) === null);
  const without = real.filter((host) => !(host.name in configured)).map((host) => host.name);
  if (without.length > 0) {
    const told = `${without.join(', ')} ${without.length === 1 ? 'has' : 'have'} no fence device: when such a host dies its instances wait for a person`;
    yield check('warning', told, `name one in drover.yaml: fencing.hosts; see ${page}`);
  }
  const strangers = Object.keys(configured).filter((host) => !hosts.some((one) => one.name === host));
  if (strangers.length > 0)
    yield check(
      'warning',
      `fencing.hosts names ${strangers.join(', ')}, and the inventory has no such host`,
      'correct the name: `drover host list`',
    );
}

/** How they were when the recovery workers asked them last. */
async function asked({ inventory }: Context, hosts: readonly Host[]): Promise<Check[]> {
  const checks = await Promise.all(
    hosts.map(async (host): Promise<Check[]> => {
      const last = await fenceCheckOf(inventory, host.name);
      if (last === null || host.fence !== null) return [];
      return last.devices
        .filter((device) => !isReady(device, { up: host.state === 'up' }))
        .map((device) =>
          check(
            'warning',
            `${device.device} would not do its work (asked at ${last.at}): ${device.error ?? device.bindingSays}`,
            `repair it, and ask again: drover host fence-check ${host.name}`,
          ),
        );
    }),
  );
  return checks.flat();
}

const check = (state: Check['state'], message: string, fix: string | null): Check => ({
  name,
  state,
  message,
  fix,
  code: 'InvalidConfig',
});
