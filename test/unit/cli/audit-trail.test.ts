/** What the command line changes leaves a line in the trail, refused or done; reading leaves none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { closeInventory, openInventory } from '../../../activities/inventory/database.js';
import { listTrail } from '../../../activities/inventory/trail.js';
import { buildProgram } from '../../../cli/program.js';

const commands: [command: string, line: string | null][] = [
  ['api-token create bot --role automation --expires 90d --runbook drain', 'token.create bot done'],
  ['api-token list', null],
  ['api-token revoke bot', 'token.revoke bot done'],
  ['flavor create small --vcpus 1 --memory-mib 512', 'flavor.create small done'],
  ['flavor delete small', 'flavor.delete small done'],
  ['server-group create near --policy affinity', 'server-group.create near done'],
  ['server-group delete near', 'server-group.delete near done'],
  ['recovery disarm --reason works', 'recovery.mode fleet done'],
  ['host remove nowhere', 'host.remove nowhere NotFound'],
  ['host enable nowhere', 'host.enable nowhere NotFound'],
  ['instance stop nothing', 'instance.stop nothing NotFound'],
  ['instance stop nothing --dry-run', null],
  ['audit trail --since 1h', null],
  ['audit verify', null],
];

test('each change leaves its line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-trail-'));
  const config = join(folder, 'drover.yaml');
  writeFileSync(config, 'cloud: test\nidentity: { name: ann, role: admin }\n');
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  try {
    for (const [command] of commands) {
      const argv = [...command.split(' '), '--config', config];
      const program = await buildProgram(argv);
      await program.parseAsync(argv, { from: 'user' }).catch(() => undefined);
    }
    const inventory = await openInventory({ path: join(folder, '.drover', 'inventory.db') });
    const lines = (await listTrail(inventory)).toReversed();
    await closeInventory(inventory);
    expect(lines.map(({ action, subject, outcome }) => `${action} ${subject} ${outcome}`)).toEqual(
      commands.flatMap(([, line]) => line ?? []),
    );
  } finally {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  }
});
