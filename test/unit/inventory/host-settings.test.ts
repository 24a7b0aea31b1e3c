import { afterEach, beforeEach, expect, test } from 'vitest';
import { setHost } from '../../../activities/inventory/host-settings.js';
import { getHost } from '../../../activities/inventory/hosts.js';
import { host, makeWorld, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
  await host(world, 'a');
});
afterEach(() => world.close());

let asked = 0;
const set = (settings: Parameters<typeof setHost>[1]['settings']) => {
  asked += 1;
  const request = { id: `r${asked}`, by: 'ann', role: 'admin', run: null } as const;
  return setHost(world.deps, { host: 'a', settings, request });
};

test('what recoveries make of a host is said, stays when something else is said, and is answered for the undo', async () => {
  const { was } = await set({ reserved: true, control_plane: true });
  expect(was).toMatchObject({ reserved: false, control_plane: false });
  await set({ zone: 'z1' });
  expect(await getHost(world.inventory, 'a')).toMatchObject({
    reserved: true,
    controlPlane: true,
    zone: 'z1',
  });
  await set(was);
  expect(await getHost(world.inventory, 'a')).toMatchObject({
    reserved: false,
    controlPlane: false,
    zone: null,
  });
});
