import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../config/config.js';
import { defaultRecoveryRules } from '../../../model/recovery.js';

const folder = mkdtempSync(join(tmpdir(), 'drover-config-recovery-'));
const file = join(folder, 'drover.yaml');
const load = async (text: string) => {
  writeFileSync(file, text);
  return (await loadConfig({ file, cwd: folder, env: {} })).recovery;
};

describe('recovery: in drover.yaml', () => {
  test('without it the defaults do, and they keep their own rules', async () => {
    expect(await load('cloud: a\n')).toEqual(defaultRecoveryRules);
  });

  test('every key is read, times in seconds', async () => {
    const text = `recovery:
  vantages: [rack-a, rack-b, office]
  confirm: 2m
  ask_every: 3s
  settle: 1m
  budget: { zone: 4, fleet: 9, window: 2h }
  hung: fence
  readmit: auto
  move_back: true
  at_a_time: 8
  per_target: 2
  retry_every: 10s
  retry_for: 1h
  watchdog_margin: 20s
`;
    expect(await load(text)).toEqual({
      vantages: ['rack-a', 'rack-b', 'office'],
      confirmSeconds: 120,
      askEverySeconds: 3,
      settleSeconds: 60,
      budget: { zone: 4, fleet: 9, windowSeconds: 7200 },
      hung: 'fence',
      readmit: 'auto',
      moveBack: true,
      atATime: 8,
      perTarget: 2,
      retryEverySeconds: 10,
      retryForSeconds: 3600,
      watchdogMarginSeconds: 20,
    });
  });

  test.each([
    ['vantages: [north]', '2:13', 'must name at least two vantage points'],
    ['vantages: [a, b, a]', '2:13', 'names a twice'],
    ['budget: { zone: 5 }', '2:19', 'must not be more than that of the fleet (3)'],
    ['budget: { window: 10s }', '2:21', 'must be at least 1m'],
    ['ask_every: 0s', '2:14', 'must be at least 1s'],
    ['settle: soon', '2:11', 'must be a length of time with its unit'],
    ['hung: kill', '2:9', 'ask'],
    ['setle: 1m', '2:3', 'settle'],
  ])('%s is refused at its place', async (line, place, says) => {
    await expect(load(`recovery:\n  ${line}\n`)).rejects.toThrow(new RegExp(`drover.yaml:${place}.*`));
    await expect(load(`recovery:\n  ${line}\n`)).rejects.toThrow(says);
  });
});
