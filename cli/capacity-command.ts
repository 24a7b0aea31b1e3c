/** `drover host capacity`: would what runs on a host fit elsewhere if it were lost, and how many hosts can be lost at all. */
import type { Command } from 'commander';
import type { Loss } from '../activities/inventory/placement/loss.js';
import type { Spare } from '../activities/inventory/placement/spare.js';
import { capacityWithout, fleetCapacity } from '../client/capacity.js';
import { withContext, type Context } from './context.js';
import { printData, table, write } from './output.js';
import { counted } from './texts.js';

export function capacityCommand(host: Command): void {
  host
    .command('capacity')
    .description(
      'Tell whether what is on a host would fit elsewhere if it were lost, and how many hosts the fleet can lose; exit code 1 where something would find no room.',
    )
    .option('--without <host>', 'as if this host were lost; may be given more than once', collect)
    .action((_options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const { without } = command.opts<{ without?: string[] }>();
        const fits =
          without === undefined ? await fleet(context) : await loss(context, [...new Set(without)]);
        if (!fits) process.exitCode = 1;
      }),
    );
}

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

async function loss(context: Context, without: string[]): Promise<boolean> {
  const told = await capacityWithout(context, without);
  if (context.output.format === 'table') write(await lossText(told));
  else await printData(context.output, told);
  return told.fits;
}

async function fleet(context: Context): Promise<boolean> {
  const told = await fleetCapacity(context);
  if (context.output.format === 'table') write(await spareText(told));
  else await printData(context.output, told);
  return told.fits;
}

async function lossText({ lost, placed, unplaced, staying }: Loss): Promise<string> {
  const all = placed.length + unplaced.length;
  const reserved = placed.filter((one) => one.reserved).length;
  const first =
    `without ${lost.join(', ')}: ${placed.length} of ${counted(all, 'instance')} would fit elsewhere` +
    (reserved === 0 ? '' : `, ${reserved} of them on reserved hosts`);
  const stay =
    staying.length === 0
      ? []
      : [`${staying.map(({ name }) => name).join(', ')}: stays, its HA policy is never`];
  const where = placed.map(({ name, ha, from, to, reserved: on }) => [
    name,
    ha,
    from,
    `${to}${on ? ' (reserved)' : ''}`,
  ]);
  const moved = where.length === 0 ? [] : [await table(['INSTANCE', 'HA', 'FROM', 'TO'], where)];
  const none = unplaced.map(({ name, ha, size, rejections }) =>
    [
      `${name} (${size}, HA ${ha}) would not come back:`,
      ...rejections.map(({ host, reason }) => `  ${host}: ${reason}`),
      ...(rejections.length === 0 ? ['  there is no other host'] : []),
    ].join('\n'),
  );
  return [first, ...moved, ...stay, ...none].join('\n');
}

async function spareText({ hosts, spare, checked, limit, each }: Spare): Promise<string> {
  const how =
    checked === 'every combination'
      ? 'every choice of hosts was tried'
      : 'by the worst hosts, one after the other';
  const first = `N+${spare}: of ${counted(hosts, 'host')}, any ${spare} can be lost at once (${how})`;
  const second =
    limit === null
      ? []
      : [
          `not ${limit.hosts.join(' and ')}: ${counted(limit.unplaced, 'instance')} would find no room; see \`drover host capacity ${limit.hosts.map((host) => `--without ${host}`).join(' ')}\``,
        ];
  const rows = each.map((one) => [
    one.host,
    one.zone ?? '-',
    `${one.instances}${one.reserved ? ' (reserved)' : ''}`,
    one.unplaced === 0 ? 'yes' : `no, ${one.unplaced} not`,
    String(one.onReserved),
  ]);
  return [
    first,
    ...second,
    await table(['WITHOUT', 'ZONE', 'INSTANCES', 'WOULD FIT', 'ON RESERVED'], rows),
  ].join('\n');
}
