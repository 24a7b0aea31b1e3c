/** Several processes on one datacenter, one of which is killed while it works. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../activities/clock.js';
import { openDatacenter } from '../../../activities/simulator/datacenter.js';
import { populate } from '../../../activities/simulator/populate.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import { imported, makePackage, transpileInto } from '../../transpile.js';
import { runProcess } from '../inventory/processes.js';

const folder = mkdtempSync(join(tmpdir(), 'drover-simulator-'));
const path = join(folder, 'datacenter-dc.db');
const host = { name: 'host-1', uri: 'sim://dc/host-1' };

beforeAll(async () => {
  makePackage(folder);
  const datacenter = openDatacenter({ path, name: 'dc', clock: systemClock });
  await datacenter.transact((tx) => populate(tx, 'dc', { hosts: 2, instances: 8, racks: 1, local: 0 }));
  datacenter.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const opened = `
  import { systemClock } from './activities/clock.js';
  import { openDatacenter } from './activities/simulator/datacenter.js';
  import { createSimulatedHypervisor } from './activities/simulator/hypervisor.js';
  const datacenter = openDatacenter({ path: ${JSON.stringify(path)}, name: 'dc', clock: systemClock });
  const hypervisor = createSimulatedHypervisor(datacenter);
  const host = ${JSON.stringify(host)};
  const [guest] = await hypervisor.list(host);
`;

it('every change of every process is there, and no call fails for another’s lock', async () => {
  const rounds = 200;
  const source = (role: string) => `${opened}
    const id = crypto.randomUUID();
    await hypervisor.define(host, { id, name: ${JSON.stringify(role)}, vcpus: 1, memoryMiB: 16, disks: [], bridges: [] },
      { instance: id, operation: 'op', epoch: 1 });
    for (let round = 0; round < ${rounds}; round += 1) {
      await hypervisor.start(host, id);
      await hypervisor.destroy(host, id);
    }
    console.log(JSON.stringify(id));`;
  const ids: unknown[] = await Promise.all(
    ['one', 'two', 'three'].map((name) => runProcess(folder, name, source(name))),
  );
  const datacenter = openDatacenter({ path, name: 'dc', clock: systemClock });
  const seen = await datacenter.transact((tx) =>
    tx.all<{ id: string; boots: number }>(`select id, boots from guests where boots = ?`, rounds),
  );
  datacenter.close();
  expect(seen.map(({ id }) => id).toSorted()).toEqual(ids.map(String).toSorted());
}, 60_000);

it('a migration goes on when the process that began it is killed', async () => {
  const file = join(folder, 'killed.js');
  transpileInto(folder, imported(opened));
  await writeFile(
    file,
    `${opened}
    const target = { name: 'host-2', uri: 'sim://dc/host-2' };
    const { ended } = await hypervisor.startMigration(
      { id: guest.id, name: guest.name, source: host, target, copy: [], bandwidthMiBs: 400 });
    void ended;
    for (;;) {
      if ((await hypervisor.job(host, guest.id)) !== null) break;
    }
    console.log(guest.id);`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const id = await new Promise<string>((told) => {
    child.stdout.once('data', (data: Buffer) => told(data.toString().trim()));
  });
  child.kill('SIGKILL');
  const datacenter = openDatacenter({ path, name: 'dc', clock: systemClock });
  const hypervisor = createSimulatedHypervisor(datacenter);
  expect(await hypervisor.job(host, id)).toMatchObject({ migrates: true });
  await expect
    .poll(() => hypervisor.look({ name: 'host-2', uri: 'sim://dc/host-2' }, id), {
      timeout: 20_000,
      interval: 100,
    })
    .toMatchObject({ power: 'running', persistent: true });
  expect(await hypervisor.look(host, id)).toBeNull();
  datacenter.close();
}, 60_000);
