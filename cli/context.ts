/** What a command works with: configuration, inventory, and Temporal once it is needed. */
import type { Command } from 'commander';
import type { Caller } from '../client/caller.js';
import type { Config } from '../config/config.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { note, outputOf, type Globals, type Output } from './output.js';

export interface Context extends Caller {
  readonly config: Config;
  readonly output: Output;
}

export async function configOf(command: Command): Promise<Config> {
  const { config: file, data: dataDir } = command.optsWithGlobals<Globals>();
  const { loadConfig } = await import('../config/config.js');
  return loadConfig({ file, dataDir });
}

/** Opens what `work` needs and closes it again, however it ends. */
export async function withContext(
  command: Command,
  work: (context: Context) => Promise<void>,
): Promise<void> {
  const output = outputOf(command);
  const config = await configOf(command);
  const { openInventory, closeInventory } = await import('../activities/inventory/database.js');
  const inventory = await openInventory(config.inventory);
  let connecting: Promise<TemporalConnection> | undefined;
  const context: Context = {
    config,
    output,
    cloud: config.cloud,
    inventory,
    strategy: config.placement.strategy,
    identity: config.identity,
    via: 'cli',
    temporal() {
      connecting ??= connect(config).catch((error: unknown) => {
        // Whoever waits for Temporal to come back asks again.
        connecting = undefined;
        throw error;
      });
      return connecting;
    },
    say: note,
  };
  try {
    await work(context);
  } finally {
    await closeInventory(inventory);
    const temporal = await connecting?.catch(() => undefined);
    await temporal?.connection.close();
  }
}

async function connect(config: Config): Promise<TemporalConnection> {
  const { connectClient } = await import('../temporal/connect.js');
  const { dataConverterOf } = await import('../temporal/codec.js');
  const { encryptionKeys } = await import('../config/encryption.js');
  const dataConverter = dataConverterOf(await encryptionKeys(config.encryption, process.env));
  return connectClient({ dataDir: config.data, dataConverter });
}
