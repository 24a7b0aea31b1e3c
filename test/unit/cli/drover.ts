/** Runs the real command, as built, in a folder of its own. */
import { execa } from 'execa';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { addHost, recordProbe } from '../../../activities/inventory/hosts.js';
import { adoptInstance, setLock } from '../../../activities/inventory/instances.js';
import type { InstanceState, PowerState } from '../../../model/instance.js';

const main = resolve(import.meta.dirname, '../../../dist/cli/main.js');

interface Ran {
  stdout: string;
  stderr: string;
  exitCode: number | undefined;
  seconds: number;
}

export interface Place {
  folder: string;
  /** Nothing listens at the Temporal address that it is given, unless `env` says otherwise. */
  drover(args: readonly string[], env?: Record<string, string>): Promise<Ran>;
  inventory<T>(work: (inventory: Inventory) => Promise<T>): Promise<T>;
  remove(): void;
}

const noTemporal = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

export function makePlace(config = 'cloud: test\nidentity: { name: ann }\n'): Place {
  if (!existsSync(main)) throw new Error('build first: npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'drover-cli-'));
  writeFileSync(join(folder, 'drover.yaml'), config);
  return {
    folder,
    async drover(args, env = noTemporal) {
      const begun = Date.now();
      const { stdout, stderr, exitCode } = await execa(process.execPath, [main, ...args], {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
        extendEnv: false,
        reject: false,
        stdin: 'ignore',
      });
      return { stdout, stderr, exitCode, seconds: (Date.now() - begun) / 1000 };
    },
    async inventory(work) {
      const inventory = await openInventory({ path: join(folder, '.drover', 'inventory.db') });
      try {
        return await work(inventory);
      } finally {
        await closeInventory(inventory);
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function putHost(inventory: Inventory, name: string, memoryMiB = 4096): Promise<void> {
  const settings = { slots: 2, cpuOvercommit: 4, memoryMiBReserved: 512, labels: {} };
  await addHost(inventory, { name, uri: `qemu+tcp://${name}.invalid/system`, ...settings });
  const facts = { hostname: name, systemUuid: `uuid-${name}`, vcpus: 8, memoryMiB, hypervisor: 'QEMU 9' };
  await recordProbe(inventory, name, { up: true, facts });
}

/** Its id is made of `digit`. */
export async function putInstance(
  inventory: Inventory,
  digit: number,
  { name, host, state = 'active' }: { name: string; host: string; state?: InstanceState },
): Promise<string> {
  const id = `${String(digit).repeat(8)}-0000-4000-8000-000000000000`;
  const powerState: PowerState = state === 'stopped' ? 'shutoff' : 'running';
  const size = { vcpus: 1, memoryMiB: 1024, flavor: null, disks: [], metadata: {} };
  await adoptInstance(inventory, { id, name, host, state, powerState, ...size });
  return id;
}

/** Two hosts, two instances of one name, one that is off, and one that bob has locked. */
export async function makeFilledPlace(): Promise<Place> {
  const place = makePlace();
  await place.inventory(async (inventory) => {
    await putHost(inventory, 'alpha');
    await putHost(inventory, 'beta', 1600);
    await putInstance(inventory, 1, { name: 'web', host: 'alpha' });
    await putInstance(inventory, 2, { name: 'web', host: 'beta' });
    await putInstance(inventory, 3, { name: 'db', host: 'alpha', state: 'stopped' });
    await putInstance(inventory, 4, { name: 'cache', host: 'alpha' });
    await setLock(inventory, 'cache', { reason: 'under audit', by: 'bob' });
  });
  return place;
}
