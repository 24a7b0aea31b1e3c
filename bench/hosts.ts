/** Two real libvirt hosts, a drover over them, and guests to move between them. */
import { readFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { addHost, recordProbe } from '../activities/inventory/hosts.js';
import { adoptInstance } from '../activities/inventory/instances.js';
import { openLab, type Lab } from '../lab/lab.js';
import { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import type { Disk } from '../model/instance.js';
import { hypervisor } from '../worker/ports.js';
import { startDrover, type Drover } from './drover.js';
import type { Session } from './session.js';

export interface Hosts {
  lab: Lab;
  drover: Drover;
  refs: [HostRef, HostRef];
}

export interface Guest {
  id: string;
  name: string;
  disks: Disk[];
}

export const driver = hypervisor('.drover');
const command = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** Makes a lab of its own and takes it away again; an existing one is somebody's. */
export async function startHosts(session: Session): Promise<Hosts> {
  const lab = openLab();
  if ((await lab.status()).length > 0) {
    throw new DroverError('WrongState', `there is a lab in ${lab.dir}, and the benchmark makes its own`, {
      hint: 'wipe it (lab/lab.sh wipe), or name another with DROVER_LAB_DIR and DROVER_LAB_NET',
    });
  }
  session.say('starting two hosts');
  session.atEnd(() => lab.wipe());
  await lab.up(2);
  const drover = await startDrover(session, await lab.gateway());
  const config = join(drover.dir, 'drover.yaml');
  writeFileSync(config, `cloud: ${drover.cloud}\ndata: ${drover.dir}\n`);
  const env = { DROVER_CONFIG: config, TEMPORAL_ADDRESS: drover.address, DROVER_LOG: 'warn' };
  const host = async (name: string): Promise<HostRef> => {
    const ref = { name, uri: await lab.uri(name) };
    await addHost(drover.inventory, {
      ...ref,
      slots: 2,
      cpuOvercommit: 4,
      memoryMiBReserved: 0,
      labels: {},
    });
    await recordProbe(drover.inventory, name, { up: true, facts: await driver.facts(ref) });
    await lab.installWorker(name, [process.execPath, command, 'worker', '--host', name], {
      env,
      cwd: drover.dir,
    });
    return ref;
  };
  return { lab, drover, refs: [await host('host1'), await host('host2')] };
}

/** Guests on the first host that are the same but for their names; they have booted. */
export async function makeGuests(
  { lab, refs: [home] }: Hosts,
  disk: 'shared' | 'local',
  names: readonly string[],
): Promise<Guest[]> {
  for (const name of names) await lab.createGuest({ name, host: home.name, disk });
  for (const name of names) await booted(lab.hostPaths(home.name).serialLog(name));
  const there = await driver.list(home);
  return names.map((name) => {
    const found = there.find((guest) => guest.name === name);
    if (found === undefined) throw new DroverError('NotFound', `${home.name} has no guest ${name}`);
    return found;
  });
}

/** Brings a guest of the first host under drover. */
export async function adopt({ drover, refs: [home] }: Hosts, { id }: Guest): Promise<void> {
  const view = await driver.look(home, id);
  if (view === null) throw new DroverError('NotFound', `${home.name} has no guest ${id}`);
  await adoptInstance(drover.inventory, {
    ...view,
    host: home.name,
    state: 'active',
    powerState: 'running',
    flavor: null,
    metadata: {},
  });
}

/** virsh as an operator would use it, without drover. */
export async function virsh(host: HostRef, ...args: string[]): Promise<void> {
  await execa('virsh', ['-q', '-c', host.uri, ...args], { timeout: 120_000, stdin: 'ignore' });
}

async function booted(serialLog: string): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await readFile(serialLog, 'utf8').catch(() => '')).includes('TICK n=3 ')) {
    if (Date.now() > deadline) throw new DroverError('TimedOut', `the guest of ${serialLog} does not boot`);
    await sleep(200);
  }
}
