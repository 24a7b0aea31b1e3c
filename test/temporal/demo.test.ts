/** `npm run demo` as it is compiled: told to its end, ended in the middle, and kept from what is not its own. */
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { withoutTemporal } from '../../temporal/child.js';
import { processesOn } from './demo-processes.js';
import { temporalBinary, temporaryFolder, until } from './helpers.js';

const main = resolve(import.meta.dirname, '../../dist/cli/demo/main.js');
let binary: string;

beforeAll(async () => {
  binary = await temporalBinary();
});

function demo(folder: string) {
  return execa(process.execPath, [main, '--data', folder, '--timings'], {
    env: { ...withoutTemporal(), DROVER_TEMPORAL_BIN: binary, NO_COLOR: '1' },
    extendEnv: false,
    reject: false,
    all: true,
    buffer: true,
  });
}

test('the whole story: drained, killed, lost, brought back, and what the hypervisors say', async () => {
  const folder = join(temporaryFolder(), 'demo');
  const { exitCode, all } = await demo(folder);
  expect(exitCode, all).toBe(0);
  const inOrder = [
    /^ {2}host-1 +rack-1 +up +yes +7 /m,
    /^drover empties host-3/m,
    /^kill -9 \d+: worker-\d is dead/m,
    /supervisor: worker-\d ended unexpectedly \(signal SIGKILL\)/,
    /step move: succeeded, 7 of 7 done/,
    /its move was followed to its end by worker-\d, in attempt 2/,
    /^host-3 is empty/m,
    /^drover sim crash host-\d: it is off/m,
    /up -> unknown/,
    /\(MigrationFailed\)/,
    /^db-\d+ is active on host-\d, where it ran all the time/m,
    /active -> stopped \(repair: .*host-\d.*\)/,
    /stopped -> active \(start\)/,
    /^ {2}host-3 +rack-3 +up +no: draining +0 +0\/32 /m,
    /^Verdict of the hypervisors themselves: all 40 instances exist and run, none twice/m,
    /^ {2}npx drover dev --data /m,
  ];
  let rest = all;
  for (const line of inOrder) {
    const at = rest.search(line);
    expect(at, `${String(line)} in\n${rest}`).toBeGreaterThanOrEqual(0);
    rest = rest.slice(at);
  }
  expect(await processesOn(folder)).toEqual([]);

  // A second one begins anew, and Ctrl-C in its middle ends all that it has started.
  const again = demo(folder);
  let said = '';
  again.all.on('data', (text: Buffer) => (said += text.toString()));
  await until('the drain has begun', () => said.includes('step move'), 60_000);
  // One of its workers may just have been killed: that is its story.
  await until('all its processes run', async () => (await processesOn(folder)).length > 2, 30_000);
  again.kill('SIGINT');
  expect((await again).exitCode).toBe(130);
  expect(await processesOn(folder)).toEqual([]);
});

test('a folder that no demo made is left alone', async () => {
  const folder = temporaryFolder();
  const mine = join(folder, 'mine.txt');
  writeFileSync(mine, 'mine');
  const { exitCode, all } = await demo(folder);
  expect(exitCode).toBe(3);
  expect(all).toContain('no demo made it: it stays as it is');
  expect(existsSync(mine)).toBe(true);
});

test('what a demo left that was killed is ended by the next, which then begins anew', async () => {
  const folder = join(temporaryFolder(), 'demo');
  const first = demo(folder);
  let said = '';
  first.all.on('data', (text: Buffer) => (said += text.toString()));
  await until('it is up', () => said.includes('Temporal UI'), 60_000);
  first.kill('SIGKILL');
  await first;
  expect((await processesOn(folder)).length).toBeGreaterThan(1);

  const second = demo(folder);
  said = '';
  second.all.on('data', (text: Buffer) => (said += text.toString()));
  await until('it is up', () => said.includes('Temporal UI'), 90_000);
  expect(said).toContain('an earlier drover dev was killed: ending what it left');
  second.kill('SIGTERM');
  expect((await second).exitCode).toBe(130);
  expect(await processesOn(folder)).toEqual([]);
});
