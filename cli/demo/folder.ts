/** The folder of the demo, made anew at each start. Only what a demo has made is ever removed. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DroverError } from '../../model/errors.js';
import { readDevFile } from '../../temporal/dev-file.js';
import { endLeftovers } from '../../temporal/dev-leftovers.js';
import { tryLock } from '../../temporal/lock.js';

const marker = 'made-by-the-demo';
const lockFile = 'dev.lock';

/** Takes the folder and empties it; throws WrongState where it isn't a demo's, or something runs on it. */
export async function takeFolder(dir: string, print: (line: string) => void): Promise<{ release(): void }> {
  if (existsSync(dir) && readdirSync(dir).length > 0 && !existsSync(join(dir, marker))) {
    throw new DroverError('WrongState', `${dir} is there, and no demo made it: it stays as it is`, {
      details: { dir },
      hint: 'choose another folder: npm run demo -- --data DIR',
    });
  }
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, marker), 'Everything here is made anew by the next `npm run demo`.\n');
  const lock = tryLock(join(dir, lockFile));
  if (!lock.held) {
    throw new DroverError('WrongState', `something runs on ${dir} already (pid ${lock.holder})`, {
      details: { dir, pid: lock.holder },
      hint: `end it with Ctrl-C or \`drover dev --stop --data ${dir}\`, or choose another folder with --data DIR`,
    });
  }
  const left = readDevFile(dir);
  if (left !== undefined) await endLeftovers(dir, left, print);
  for (const name of readdirSync(dir)) {
    if (name !== marker && name !== lockFile) rmSync(join(dir, name), { recursive: true, force: true });
  }
  return lock;
}
