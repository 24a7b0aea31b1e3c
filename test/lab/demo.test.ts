/** `npm run demo -- --lab` as it is compiled, on a lab of its own, which it takes down again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLab } from '../../lab/lab.js';
import { withoutTemporal } from '../../temporal/child.js';
import { processesOn } from '../temporal/demo-processes.js';

const main = resolve(import.meta.dirname, '../../dist/cli/demo/main.js');
const lab = openLab();
const folder = join(mkdtempSync(join(tmpdir(), 'drover-lab-demo-')), 'demo');

beforeAll(() => lab.wipe());
afterAll(async () => {
  await lab.wipe();
  rmSync(folder, { recursive: true, force: true });
});

test('a drain of real hosts; nothing is left of them', async () => {
  const { exitCode, all } = await execa(process.execPath, [main, '--lab', '--data', folder], {
    env: { ...withoutTemporal(), DROVER_LAB_DIR: lab.dir, NO_COLOR: '1' },
    extendEnv: false,
    reject: false,
    all: true,
  });
  expect(exitCode, all).toBe(0);
  expect(all).toMatch(/^\$ drover host drain host1$/m);
  expect(all).toMatch(/^run .*: succeeded after .*moved 2, failed 0, remaining 0$/m);
  expect(all).toContain('Verdict of libvirt: all 6 guests run, each on one host, none on host1.');
  expect(await lab.status()).toEqual([]);
  expect(await processesOn(folder)).toEqual([]);
});
