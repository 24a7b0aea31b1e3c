import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { DroverError } from '../../model/errors.js';
import { outputOf, printData, write } from '../output.js';

export function register(encryption: Command): void {
  encryption
    .command('new-key')
    .description('Make a key for encryption.keys of drover.yaml, in a new file that only you can read.')
    .argument('<file>', 'where to write it; nothing is overwritten')
    .option('--id <id>', 'the name of the key (default: key- and the date)')
    .action((file: string, _options: unknown, command: Command) => newKey(file, command));
}

async function newKey(file: string, command: Command): Promise<void> {
  const id = command.opts<{ id?: string }>().id ?? `key-${new Date().toISOString().slice(0, 10)}`;
  const path = resolve(file);
  try {
    await writeFile(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new DroverError(
      code === 'EEXIST' ? 'AlreadyExists' : 'InvalidInput',
      `${path} was not written: ${code === 'EEXIST' ? 'there is such a file already' : String(code)}`,
      { hint: 'name a new file: a key that is overwritten takes with it all that it encrypted' },
    );
  }
  const reference = `file:${path}`;
  const output = outputOf(command);
  if (output.format !== 'table') return printData(output, { id, key: reference });
  write(
    `wrote ${path}; copy it to every machine of drover, and put it first in drover.yaml there:\n\n` +
      `encryption:\n  keys:\n    - { id: ${id}, key: '${reference}' }`,
  );
}
