/** Whether the fence devices would do their work: asked while nobody needs them. */
import type { CheckedHost, DeviceCheck } from '../../model/fence-check.js';
import type { Host, HostRef } from '../../model/host.js';
import { getHost, listHosts } from '../inventory/hosts.js';
import type { Inventory } from '../inventory/database.js';
import type { Call } from '../types.js';
import type { Fencing } from './port.js';
import { recordDevices } from '../inventory/fence-checks.js';

/** Hosts asked at a time: each device is a program of its own. */
const atATime = 4;

export async function checkFences(
  { fencing, inventory }: { fencing: Fencing; inventory: Inventory },
  { hosts: named }: { hosts: string[] | null },
  call: Call,
): Promise<{ checked: CheckedHost[]; ask: HostRef[] }> {
  const hosts =
    named === null
      ? await listHosts(inventory)
      : await Promise.all(named.map((name) => getHost(inventory, name)));
  const checked: CheckedHost[] = [];
  const ask: HostRef[] = [];
  const queue = [...hosts];
  const lane = async (): Promise<void> => {
    for (let host = queue.shift(); host !== undefined; host = queue.shift()) {
      if (call.signal.aborted) return;
      const devices = await checkHost(fencing, host, call);
      await recordDevices(inventory, host.name, devices);
      checked.push({ host: host.name, devices, up: host.state === 'up' });
      if (host.state === 'up' && (await fencing.countsSelfFence(host)))
        ask.push({ name: host.name, uri: host.uri });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, hosts.length) }, lane));
  checked.sort((one, other) => one.host.localeCompare(other.host));
  ask.sort((one, other) => one.name.localeCompare(other.name));
  return { checked, ask };
}

async function checkHost(fencing: Fencing, host: Host, call: Call): Promise<DeviceCheck[]> {
  const checks: DeviceCheck[] = [];
  for (const { name: device, level } of await fencing.devices(host)) {
    call.heartbeat({ phase: 'asking', device });
    const { binding, says } = await fencing.identify(host, device, host.systemUuid);
    const answer = await fencing.status(host, device);
    checks.push({
      device,
      level,
      binding,
      bindingSays: says,
      power: answer.ok ? answer.power : null,
      error: answer.ok ? null : answer.error,
      seconds: answer.seconds,
    });
  }
  return checks;
}
