/** What the command line tells of a host in maintenance, and the commands on hosts that are runbooks. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMaintenance } from '../../../activities/inventory/maintenance.js';
import { makePlace, putHost, putInstance, type Place } from './drover.js';

let place: Place;
let until = '';
beforeAll(async () => {
  place = makePlace();
  await place.inventory(async (inventory) => {
    await putHost(inventory, 'alpha');
    await putHost(inventory, 'beta');
    await putInstance(inventory, 1, { name: 'web', host: 'alpha' });
    const run = { id: '0a1b2c3d-0000-4000-8000-000000000000', step: 'maintenance', item: null };
    const request = { id: 'op1', by: 'bob', role: 'operator' as const, run };
    const deps = { inventory, currentRun: () => null };
    const said = await startMaintenance(deps, { host: 'beta', seconds: 7200, reason: 'new memory', request });
    until = said.until;
  });
});
afterAll(() => place.remove());

test('host list, host show and JSON tell it', async () => {
  expect((await place.drover(['host', 'list'])).stdout).toMatch(/^beta +up, maintenance /m);
  expect((await place.drover(['host', 'show', 'beta'])).stdout).toMatch(
    new RegExp(`^maintenance +until ${until}, by bob \\(run 0a1b2c3d\\): new memory$`, 'm'),
  );
  expect((await place.drover(['host', 'show', 'alpha'])).stdout).toMatch(/^maintenance +no$/m);
  const run = '0a1b2c3d-0000-4000-8000-000000000000';
  expect(JSON.parse((await place.drover(['host', 'list', '--json', 'name,maintenance'])).stdout)).toEqual([
    { name: 'alpha', maintenance: null },
    { name: 'beta', maintenance: { until, by: 'bob', reason: 'new memory', run } },
  ]);
});

test('host history names what was done, by whom, in which run', async () => {
  const { stdout } = await place.drover(['host', 'history', 'beta']);
  expect(stdout).toMatch(/maintenance +succeeded +0\.0s +bob, run 0a1b2c3d +in maintenance until /);
  expect((await place.drover(['host', 'history', 'alpha'])).stdout).toContain(
    'nothing was done to alpha yet',
  );
  expect(await place.drover(['host', 'history', 'gamma'])).toMatchObject({ exitCode: 2 });
});

test('a dry run tells why nothing is placed there', async () => {
  const { stdout } = await place.drover(['instance', 'live-migrate', 'web', '--dry-run']);
  expect(stdout).toContain(`not beta: in maintenance until ${until} by bob: new memory`);
});

test('maintenance needs a length of time and a reason', async () => {
  const missing = await place.drover(['host', 'maintenance', 'alpha', '--for', '2h']);
  expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--reason') });
  const wrong = await place.drover(['host', 'maintenance', 'alpha', '--for', '2 hours', '--reason', 'x']);
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('such as 90s, 10m or 2h') });
});

test('reboot and undrain are runbooks, with their inputs as options', async () => {
  const help = (await place.drover(['host', 'reboot', '--help'])).stdout.replaceAll(/\s+/g, ' ');
  expect(help).toContain('--move-back ');
  expect(help).toContain('--reboot-timeout <duration> how long the host may be away (default: 15m)');
  for (const [command, runbook] of [
    ['reboot', 'reboot-host'],
    ['undrain', 'undrain'],
  ] as const) {
    const { stdout, exitCode } = await place.drover(['host', command, 'alpha', '--dry-run', '-o', 'json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ runbook, inputs: { host: 'alpha' } });
  }
  const back = await place.drover(['host', 'reboot', 'alpha', '--move-back', '--dry-run', '-o', 'json']);
  expect(JSON.parse(back.stdout)).toMatchObject({ inputs: { move_back: true } });
});
