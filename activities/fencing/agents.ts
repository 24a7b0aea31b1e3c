/** Fence devices by the agents of fence-agents: parameters on standard input, one program for each make. */
import type { FenceDeviceConfig, FencingConfig } from '../../model/fence-devices.js';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import { ipmiGuid, withoutPassword } from './ipmi.js';
import type { AgentFacts, Agents } from './metadata.js';
import { openAgents } from './metadata.js';
import { parameterLines, wrongParameters } from './parameters.js';
import type { Binding, FenceAnswer, Fencing } from './port.js';
import { redfishUuid } from './redfish.js';
import { runProgram } from './run-agent.js';
import { cleaned, resolveSecret } from '../../config/secrets.js';
import { isNoUuid, sameMachine } from './uuids.js';
import { verdictOf } from './verdict.js';

interface Options {
  config: Pick<FencingConfig, 'hosts' | 'countSelfFence'>;
  env?: Readonly<Record<string, string | undefined>>;
  agents?: Agents;
}

/** A device with all that its agent needs; the secrets live no longer than the call. */
interface Ready {
  name: string;
  device: FenceDeviceConfig;
  facts: AgentFacts;
  given: Record<string, string>;
  secrets: string[];
}

export const deviceName = (host: string, index: number, { agent }: FenceDeviceConfig): string =>
  `${host}/${index + 1} (${agent})`;

export function createAgents({ config, env = process.env, agents = openAgents() }: Options): Fencing {
  const devicesOf = (host: string): { name: string; device: FenceDeviceConfig }[] =>
    (config.hosts[host] ?? []).map((device, index) => ({ name: deviceName(host, index, device), device }));

  /** Or why the device can't be used: that is an answer, too, since another device may still do it. */
  async function ready(host: HostRef, name: string): Promise<Ready | { error: string }> {
    const device = devicesOf(host.name).find((one) => one.name === name)?.device;
    if (device === undefined) return { error: `${name} is not in the configuration of this worker` };
    try {
      const facts = await agents(device.agent);
      const [wrong] = wrongParameters(device, facts);
      if (wrong !== undefined || facts === null)
        return { error: `${name}: ${wrong?.message}; ${wrong?.hint}` };
      const entries = Object.entries(device.secrets);
      const secrets = await Promise.all(
        entries.map(async ([key, reference]) => [key, await resolveSecret(reference, env)] as const),
      );
      const given = { ...device.with, ...Object.fromEntries(secrets) };
      return { name, device, facts, given, secrets: secrets.map(([, secret]) => secret) };
    } catch (error) {
      if (error instanceof DroverError) return { error: `${name}: ${error.message}; ${error.hint}` };
      throw error;
    }
  }

  async function run(host: HostRef, name: string, action: 'on' | 'off' | 'status'): Promise<FenceAnswer> {
    const its = await ready(host, name);
    return 'error' in its ? { ok: false, why: 'failed', error: its.error, seconds: 0 } : call(its, action);
  }

  return {
    devices: async ({ name: host }) =>
      devicesOf(host)
        .map(({ name, device }) => ({ name, level: device.level }))
        .toSorted((one, other) => one.level - other.level),

    countsSelfFence: async () => config.countSelfFence,

    async identify(host, name, systemUuid) {
      const its = await ready(host, name);
      if ('error' in its) return unknown(its.error);
      const bound = await bind(its, its.device.uuid ?? systemUuid);
      if (bound.binding !== 'unknown' || !its.device.trustBinding) return bound;
      return { ...bound, binding: 'trusted', says: `${bound.says}; its configuration says trust_binding` };
    },

    status: (host, name) => run(host, name, 'status'),
    on: (host, name) => change(host, name, 'on'),
    off: (host, name) => change(host, name, 'off'),
  };

  /** What counts is how the power is afterwards, whatever the agent said of its own work. */
  async function change(host: HostRef, name: string, power: 'on' | 'off'): Promise<FenceAnswer> {
    const done = await run(host, name, power);
    // It would only be waited for once more.
    if (!done.ok && (done.why === 'hung' || done.why === 'unreachable')) return done;
    const now = await run(host, name, 'status');
    const seconds = Math.round((done.seconds + now.seconds) * 10) / 10;
    if (now.ok && now.power === power) return { ...now, seconds };
    if (!done.ok) return { ...done, seconds };
    if (!now.ok) return { ...now, seconds };
    const error = `${name} says that it did \`${power}\`, and then that the power is ${now.power}; look at the machine itself`;
    return { ok: false, why: 'deaf', error, seconds };
  }
}

async function call(
  { name, device, facts, given, secrets }: Ready,
  action: 'on' | 'off' | 'status',
): Promise<FenceAnswer> {
  const { limitSeconds } = device;
  const work = async (parameters: Record<string, string>, env: Record<string, string>) => {
    const input = parameterLines(action, parameters, facts);
    const ran = await runProgram(facts.path, { input, env, limitMs: limitSeconds * 1000 });
    return verdictOf(name, action, ran, { limitSeconds, secrets });
  };
  return facts.parameters.has('ipmitool_path') ? withoutPassword(given, work) : work(given, {});
}

/** Only some makes can tell whose power they have. */
async function bind({ name, facts, given, secrets }: Ready, wanted: string | null): Promise<Binding> {
  const asked = facts.parameters.has('redfish_uri')
    ? await redfishUuid(given)
    : facts.parameters.has('ipmitool_path')
      ? await ipmiGuid(given)
      : null;
  if (asked === null) return unknown(`${name} can not tell whose power it has`);
  if ('error' in asked)
    return unknown(cleaned(`${name} could not be asked whose power it has: ${asked.error}`, secrets));
  const { uuid } = asked;
  if (uuid === null || isNoUuid(uuid)) return unknown(`${name} tells no system UUID`);
  if (wanted === null)
    return {
      ...unknown(`${name} tells system UUID ${uuid}; that of the host was never seen`),
      systemUuid: uuid,
    };
  return sameMachine(uuid, wanted)
    ? { binding: 'same', systemUuid: wanted, says: `${name} tells the system UUID of the host` }
    : {
        binding: 'other',
        systemUuid: uuid,
        says: `${name} tells system UUID ${uuid}, and the host has ${wanted}`,
      };
}

const unknown = (says: string): Binding => ({ binding: 'unknown', systemUuid: null, says });
