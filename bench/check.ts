/** What it costs to check runbooks, against reading the same files; and how soon help is there. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { runbookCatalogue } from '../client/catalogue.js';
import { formatIssues } from '../config/issues.js';
import { runbookSchema } from '../model/runbook.js';
import { checkFiles, shippedFolder } from '../runbooks/language/load.js';
import { alternate, timed } from './alternate.js';
import type { Session } from './session.js';
import { compare } from './statistics.js';

const RUNBOOKS = 1000;

export async function check(session: Session): Promise<void> {
  await checkThousand(session);
  await help(session);
}

/** The shipped ones again and again, each time with other words, so that nothing is known from before. */
async function checkThousand(session: Session): Promise<void> {
  const catalogue = runbookCatalogue();
  const shipped = readdirSync(shippedFolder())
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => readFileSync(join(shippedFolder(), file), 'utf8'));
  let round = 0;
  const texts = (): string[] => {
    round += 1;
    return Array.from({ length: RUNBOOKS }, (_, place) => {
      const source = shipped[place % shipped.length] ?? '';
      const zero = `${round * RUNBOOKS + place} - ${round * RUNBOOKS + place}`;
      return source.replaceAll(/\$\{\{ (inputs\.\w+) \}\}/g, `\${{ [$1][${zero}] }}`);
    });
  };
  const ours = async (): Promise<number> => {
    const files = texts().map((source, place) => ({ file: `${place}.yaml`, source }));
    return timed(async () => {
      const wrong = (await checkFiles(files, [], catalogue)).flat();
      if (wrong.length > 0) throw new Error(formatIssues(wrong));
    });
  };
  const baseline = async (): Promise<number> => {
    const files = texts();
    return timed(async () => {
      for (const source of files) runbookSchema.parse(parse(source));
    });
  };
  const samples = await alternate({ session, n: 7, warmUp: 1, ours, baseline });
  session.tell(compare({ bench: 'check', case: `${RUNBOOKS} runbooks`, unit: 'ms' }, samples));
}

const run = promisify(execFile);

async function help(session: Session): Promise<void> {
  const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const node =
    (...args: string[]) =>
    (): Promise<number> =>
      timed(() => run(process.execPath, args));
  const samples = await alternate({
    session,
    n: 31,
    warmUp: 3,
    ours: node(main, '--help'),
    baseline: node('-e', '0'),
  });
  const row = compare({ bench: 'check', case: 'drover --help', unit: 'ms' }, samples);
  session.tell({ ...row, goal: 'ours < 200 ms', goalMet: row.ours < 200 });
}
