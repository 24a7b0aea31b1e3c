import { Command } from 'commander';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { register } from '../../../cli/commands/operation.js';

let out = '';
beforeEach(() => {
  out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

async function operation(...argv: string[]): Promise<string> {
  const program = new Command('drover')
    .option('-o, --output <format>', '', 'table')
    .option('--json <fields>');
  register(program.command('operation'));
  await program.parseAsync(['operation', ...argv], { from: 'user' });
  return out;
}

test('list names every operation with its states', async () => {
  expect(await operation('list')).toMatch(/^instance\.pause +active +paused +Freeze/m);
});

test('show tells what it takes, what it may end with, what is undone, and how it is called', async () => {
  const shown = await operation('show', 'terminate');
  expect(shown).toContain('drover instance terminate <instance> [--keep-disks]');
  expect(shown).toContain('keep_disks (boolean, false)');
  expect(shown).toContain('CleanupIncomplete (exit 1)');
  expect(shown).toMatch(/^undone +Nothing once it has begun to remove/m);
});

test('show -o json is one object, with all errors', async () => {
  const shown = JSON.parse(await operation('show', 'host.reboot', '-o', 'json')) as {
    key: string;
    errors: { code: string }[];
  };
  expect(shown.key).toBe('host.reboot');
  expect(shown.errors.map(({ code }) => code)).toContain('HostBusy');
});

test('a name that is none is refused with the one that was meant', async () => {
  await expect(operation('show', 'terminat')).rejects.toMatchObject({
    code: 'NotFound',
    hint: 'did you mean "terminate"?',
  });
});
