/** The ten minutes of the README, command by command as they stand there; only the ports are the test's own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutTemporal } from '../../temporal/child.js';
import { openCli } from '../lab/cli.js';
import { processesOn } from './demo-processes.js';
import { freePort, temporalBinary, until } from './helpers.js';

const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');
const walk = readme.split('## Ten minutes')[1]?.split('\n## ')[0] ?? '';
const blocks = (kind: string): string[] =>
  [...walk.matchAll(new RegExp(`^\`\`\`${kind}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);
const commands = blocks('sh').flatMap((block) =>
  block
    .split('\n')
    .map((line) => line.replace(/ +#.*$/, '').trim())
    .filter((line) => line !== ''),
);

const folder = mkdtempSync(join(tmpdir(), 'drover-readme-'));
const env: NodeJS.ProcessEnv = withoutTemporal();
const cli = openCli(folder, env);

beforeAll(async () => {
  env['DROVER_TEMPORAL_BIN'] = await temporalBinary();
});
afterAll(async () => {
  await cli.drover('dev', '--stop');
  rmSync(folder, { recursive: true, force: true });
});

/** Words as a shell makes them, of the simple lines that there are. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

async function follow(line: string): Promise<{ code: number; out: string; err: string }> {
  expect(line).toMatch(/^npx drover /);
  const words = wordsOf(line.replace(/^npx drover /, ''));
  if (words[0] === 'dev' && words.includes('--detach')) {
    words.push('--port', String(await freePort()), '--ui-port', String(await freePort()));
  }
  if (words.includes('ID')) {
    const [run] = await cli.json<{ id: string }[]>('run', 'list');
    words[words.indexOf('ID')] = run?.id.slice(0, 8) ?? '';
    if (words[1] === 'approve')
      await until('it asks', async () => (await phase()) === 'waiting for approval', 60_000);
  }
  return cli.drover(...words);
}

const phase = async () => (await cli.json<{ phase: string }[]>('run', 'list'))[0]?.phase;

/** What is special about a command: its exit code, what it says, what must be so before the next one. */
const expected: [RegExp, { code?: number; says?: RegExp; after?: () => Promise<unknown> }][] = [
  [/^npx drover dev --detach/, { says: /a simulated datacenter was made: 6 hosts, 40 instances/ }],
  [/host list/, { says: /^host-6 +up/m }],
  [/drain host-1 --dry-run/, { says: /nothing was done\n[^]*web-1/ }],
  [/ drain host-1$/, { says: /succeeded after .*moved 7, failed 0, remaining 0/ }],
  [/undrain host-1/, { says: /succeeded after/ }],
  [
    /--bandwidth 100 --no-wait/,
    { after: () => until('db-1 moves', async () => (await task('db-1')) !== null) },
  ],
  [/instance watch db-1/, { code: 1 }],
  [/instance show db-1/, { says: /host +host-2$/m }],
  [/sim restore host-3/, { after: () => until('the janitor settles it', settled, 60_000) }],
  [/history db-1/, { says: /live-migrate +failed/ }],
  [/runbook check/, { says: /revive.yaml: ok/ }],
  [/run show ID/, { says: /revive host=host-3/ }],
  [/run watch ID/, { says: /succeeded after .*: started \d+/ }],
];

const task = async (name: string) => (await cli.json<{ task: string | null }>('instance', 'show', name)).task;
const settled = async () =>
  (await cli.json<{ needsRepair: string | null }>('instance', 'show', 'db-1')).needsRepair === null;

test('the walk through the playground is true', { timeout: 400_000 }, async () => {
  const [runbook = ''] = blocks('yaml');
  writeFileSync(join(folder, 'revive.yaml'), runbook);
  expect(commands.length).toBeGreaterThan(15);
  for (const line of commands) {
    const { code = 0, says, after } = expected.find(([which]) => which.test(line))?.[1] ?? {};
    const said = await follow(line);
    expect(said.code, `${line}\n${said.out}\n${said.err}`).toBe(code);
    if (says) expect(said.out).toMatch(says);
    await after?.();
  }
  for (const [which] of expected)
    expect(
      commands.filter((line) => which.test(line)),
      String(which),
    ).toHaveLength(1);
  expect(await processesOn(folder)).toEqual([]);
  // What ran on the host that was lost runs again.
  const there = await cli.json<{ state: string }[]>('instance', 'list', '--host', 'host-3');
  expect(there.filter(({ state }) => state !== 'active')).toEqual([]);
});
