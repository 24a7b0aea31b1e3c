import { createHash, randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { getFlavor } from '../activities/inventory/flavors.js';
import { DroverError } from '../model/errors.js';
import { launch } from '../workflows/instance/launch.js';
import { withContext } from './context.js';
import { addOperationOptions, runOperation } from './operation-command.js';
import { addFlags, inputFromFlags, schemaFlags } from './schema-options.js';

/** What the command gives by itself: the id, the name as argument, the size by a flavor. */
const provided = ['instance', 'name', 'flavor', 'vcpus', 'memory_mib', 'disk_gib'];

export function registerLaunch(instance: Command): void {
  const flags = schemaFlags(launch.input, provided);
  const command = instance
    .command('launch')
    .description(launch.summary)
    .argument('<name>', 'the name to give it')
    .option('--flavor <flavor>', 'its size: name or id of a flavor')
    .option('--vcpus <number>', 'its CPUs, instead of those of a flavor')
    .option('--memory-mib <number>', 'its memory in MiB, instead of that of a flavor')
    .option('--disk-gib <number>', 'the size of its disk in GiB; 0 keeps the size of the image');
  addFlags(command, flags);
  addOperationOptions(command);
  command.action(async (name: string) => {
    const values = command.opts<Record<string, unknown>>();
    const size = await sizeOf(command);
    const instanceId = idFor(values['idempotencyKey']);
    await runOperation(command, launch, {
      instance: instanceId,
      name,
      ...size,
      ...inputFromFlags(flags, values),
    });
  });
}

async function sizeOf(command: Command): Promise<Record<string, unknown>> {
  const values = command.opts<{ flavor?: string; vcpus?: string; memoryMib?: string; diskGib?: string }>();
  const own = {
    ...(values.vcpus === undefined ? {} : { vcpus: number(values.vcpus) }),
    ...(values.memoryMib === undefined ? {} : { memory_mib: number(values.memoryMib) }),
    ...(values.diskGib === undefined ? {} : { disk_gib: number(values.diskGib) }),
  };
  const { flavor } = values;
  if (flavor === undefined) {
    if ('vcpus' in own && 'memory_mib' in own) return own;
    throw new DroverError('InvalidInput', 'launch needs a size: --flavor, or --vcpus and --memory-mib', {
      hint: 'see `drover flavor list`, or make one with `drover flavor create`',
    });
  }
  let size: Record<string, unknown> = {};
  await withContext(command, async ({ inventory }) => {
    const { name, vcpus, memoryMiB, diskGiB } = await getFlavor(inventory, flavor);
    size = { flavor: name, vcpus, memory_mib: memoryMiB, disk_gib: diskGiB };
  });
  return { ...size, ...own };
}

/** A text that is no number stays, for the schema to tell. */
const number = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text);

/** A request that is repeated with its key means the same instance. */
function idFor(key: unknown): string {
  if (typeof key !== 'string') return randomUUID();
  const hash = createHash('sha256').update(`drover launch ${key}`).digest('hex');
  const variant = ((Number.parseInt(hash.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
}
