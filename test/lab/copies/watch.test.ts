/**
 * The watcher watched: what must never be is done by hand, without drover, and it has to see it. The split brain is the
 * real one: storage drops the lock of a host that is cut off, and a second copy starts while the first runs on.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLab } from '../../../lab/lab.js';
import { openJudge } from '../judge.js';
import { until } from '../world.js';
import { ranTwice } from './report.js';
import { watchCopies, type Watcher } from './watch.js';

const lab = openLab();
const judge = openJudge(lab);
let watcher: Watcher;

beforeAll(async () => {
  await lab.wipe();
  await lab.up(2);
  await lab.nas('start');
  await lab.createGuest({ name: 'alone', host: 'host2', disk: 'local' });
  await lab.createGuest({ name: 'torn', host: 'host1', disk: 'nas' });
  for (const guest of ['alone', 'torn']) await judge.waitForTick(guest, 1, 60_000);
  await define('torn', 'host2', await definition('torn', 'host1'));
  watcher = watchCopies(lab);
});
afterAll(async () => {
  watcher?.stop();
  await lab.wipe();
});

const definition = (name: string, host: string) =>
  lab.exec(host, ['virsh', '-q', 'dumpxml', '--inactive', name]);
async function define(name: string, host: string, xml: string) {
  writeFileSync(join(lab.hostPaths(host).shared, `${name}.xml`), xml);
  await lab.exec(host, ['virsh', '-q', 'define', `${lab.sharedDir}/${name}.xml`]);
}
const start = async () =>
  execa('virsh', ['-q', '-c', await lab.uri('host2'), 'start', 'torn'], { reject: false });

describe('the watcher', () => {
  test('a guest whose host is cut off starts elsewhere once the storage has dropped its lock, and both write: seen', async () => {
    expect((await start()).stderr).toContain('Failed to get "write" lock');
    await lab.partition('host1');
    await until('storage drops the lock of host1', 120_000, async () => !(await start()).failed);
    await judge.waitForTick('torn', 1, 60_000, { host: 'host2' });
    const heard = ranTwice(watcher.seen(), 'torn').join('\n');
    expect(heard).toContain('torn ran on host1 and on host2 at one time');
    await lab.heal('host1');
    await until('both write to the disk', 60_000, () =>
      ranTwice(watcher.seen(), 'torn').some((found) => found.includes('wrote to its disk again after')),
    );
    expect(() => watcher.assertNeverTwice('alone', 'torn')).toThrow('torn ran on host1 and on host2');
    watcher.assertNeverTwice('alone');
    expect(watcher.seen().guests.get('alone')?.lives).toHaveLength(1);
  });
});
