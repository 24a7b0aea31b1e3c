/** The switches of recovery and the capacity of the fleet, as commands. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlace, putHost, putInstance, type Place } from './drover.js';
import { transact } from '../../../activities/inventory/database.js';

let place: Place;
beforeAll(async () => {
  place = makePlace();
  await place.inventory(async (inventory) => {
    for (const name of ['kvm-1', 'kvm-2']) await putHost(inventory, name, 2560);
    await transact(inventory, (trx) => trx.updateTable('hosts').set({ zone: 'z1' }).execute());
    await putInstance(inventory, 1, { name: 'web-1', host: 'kvm-1' });
  });
});
afterAll(() => place.remove());

test('a switch is turned by an admin, with a reason, for a time, and status tells it', async () => {
  expect(await place.drover(['recovery', 'disarm'])).toMatchObject({ exitCode: 2 });
  const turned = await place.drover([
    'recovery',
    'disarm',
    '--zone',
    'z1',
    '--for',
    '2h',
    '--reason',
    'new switch',
  ]);
  expect(turned.stdout).toMatch(/^zone z1 is disarmed until 20\S+Z by ann at 20\S+Z: new switch$/);
  const { stdout } = await place.drover(['recovery', 'status', '-o', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({
    fleet: { mode: 'armed' },
    zones: [{ zone: 'z1', mode: 'disarmed', by: 'ann', reason: 'new switch' }],
    history: [{ zone: 'z1' }],
  });
  expect(await place.drover(['recovery', 'mode', 'sometimes', '--reason', 'x'])).toMatchObject({
    exitCode: 2,
  });
  expect((await place.drover(['recovery', 'arm', '--zone', 'z1'])).stdout).toContain(
    'zone z1 is armed by ann',
  );
  expect((await place.drover(['recovery', 'status'])).stdout).toContain('zone z1 is disarmed until');
});

test('an operator turns none', async () => {
  const other = makePlace('cloud: test\nidentity: { name: bob, role: operator }\n');
  expect(await other.drover(['recovery', 'arm'])).toMatchObject({ exitCode: 3 });
  other.remove();
});

test('capacity ends with 0 where all fits elsewhere, and with 1 where something does not, with each host’s reason', async () => {
  const fits = await place.drover(['host', 'capacity', '--without', 'kvm-1']);
  expect(fits).toMatchObject({ exitCode: 0 });
  expect(fits.stdout).toContain('without kvm-1: 1 of 1 instance would fit elsewhere');
  expect(fits.stdout).toMatch(/web-1 +3 +kvm-1 +kvm-2/);
  expect((await place.drover(['host', 'capacity'])).stdout).toContain(
    'N+1: of 2 hosts, any 1 can be lost at once',
  );
  await place.inventory((inventory) => putInstance(inventory, 2, { name: 'web-2', host: 'kvm-2' }));
  await place.inventory((inventory) => putInstance(inventory, 3, { name: 'web-3', host: 'kvm-2' }));
  const not = await place.drover(['host', 'capacity', '-o', 'json']);
  expect(not).toMatchObject({ exitCode: 1 });
  expect(JSON.parse(not.stdout)).toMatchObject({
    fits: false,
    spare: 0,
    limit: { hosts: ['kvm-1'], unplaced: 1 },
  });
  const why = await place.drover(['host', 'capacity', '--without', 'kvm-1']);
  expect(why.stdout).toContain('kvm-2: needs 1024 MiB, 0 MiB free of 2048 MiB');
  expect(await place.drover(['host', 'capacity', '--without', 'kvm-9'])).toMatchObject({ exitCode: 2 });
});
