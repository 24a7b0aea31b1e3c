import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { createFlavor, deleteFlavor, getFlavor, listFlavors } from '../../activities/inventory/flavors.js';
import { mayOperate } from '../../client/permissions.js';
import { recorded } from '../../client/trail.js';
import { checkSchema, pathText } from '../../config/yaml-file.js';
import { DroverError } from '../../model/errors.js';
import { flavor as flavorSchema, type Flavor } from '../../model/instance.js';
import { withContext } from '../context.js';
import { printData, printList, write } from '../output.js';
import { toNumber } from '../schema-options.js';

export function register(flavor: Command): void {
  flavor
    .command('list')
    .description('List the flavors.')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async ({ inventory, output }) => {
        const empty = 'no flavors: make one with `drover flavor create NAME --vcpus N --memory-mib N`';
        await printList(output, await listFlavors(inventory), columns, empty);
      });
    });
  flavor
    .command('create')
    .description('Make a flavor.')
    .argument('<name>', 'its name')
    .requiredOption('--vcpus <number>', 'CPUs')
    .requiredOption('--memory-mib <number>', 'memory in MiB')
    .option('--disk-gib <number>', 'size of the disk in GiB; 0 keeps the size of the image', '0')
    .action((name: string, _options: unknown, command: Command) => create(name, command));
  flavor
    .command('delete')
    .description('Delete a flavor; instances of it keep their size.')
    .argument('<flavor>', 'its name or id')
    .action(async (name: string, _options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const found = await recorded(context, { action: 'flavor.delete', subject: name }, async () => {
          mayOperate(context);
          const meant = await getFlavor(context.inventory, name);
          await deleteFlavor(context.inventory, meant.id);
          return meant;
        });
        if (context.output.format !== 'table') return printData(context.output, found);
        return write(`flavor ${found.name} is deleted`);
      });
    });
}

const columns = [
  { title: 'NAME', value: (row: Flavor) => row.name },
  { title: 'VCPUS', value: (row: Flavor) => row.vcpus },
  { title: 'MEMORY MiB', value: (row: Flavor) => row.memoryMiB },
  { title: 'DISK GiB', value: (row: Flavor) => (row.diskGiB === 0 ? 'as the image' : row.diskGiB) },
  { title: 'ID', value: (row: Flavor) => row.id },
];

async function create(name: string, command: Command): Promise<void> {
  const given = command.opts<{ vcpus: string; memoryMib: string; diskGib: string }>();
  const { value, issues } = checkSchema(flavorSchema, {
    id: randomUUID(),
    name,
    vcpus: toNumber('vcpus', given.vcpus),
    memoryMiB: toNumber('memory-mib', given.memoryMib),
    diskGiB: toNumber('disk-gib', given.diskGib),
  });
  if (value === undefined) {
    const told = issues.map(({ path, message }) => `${pathText(path)} ${message}`);
    throw new DroverError('InvalidInput', `flavor ${name}: ${told.join('; ')}`);
  }
  await withContext(command, async (context) => {
    await recorded(context, { action: 'flavor.create', subject: name, details: value }, async () => {
      mayOperate(context);
      await createFlavor(context.inventory, value);
    });
    if (context.output.format !== 'table') return printData(context.output, value);
    return write(`flavor ${name}: ${value.vcpus} vCPUs, ${value.memoryMiB} MiB`);
  });
}
