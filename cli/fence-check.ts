/** `drover host fence-check`: could this host be fenced, if it had to be? Nothing is changed. */
import type { Command } from 'commander';
import { checkFences } from '../client/fence-check.js';
import { DroverError } from '../model/errors.js';
import { isReady, type CheckedHost, type DeviceCheck } from '../model/fence-check.js';
import { withContext } from './context.js';
import { note, printList } from './output.js';
import { paintState } from './paint.js';

export function registerFenceCheck(host: Command): void {
  host
    .command('fence-check')
    .description(
      'Ask the fence devices of a host whether they would do their work; exit code 1 when none would.',
    )
    .argument('[host]', 'name of the host')
    .option('--all', 'all hosts')
    .action((name: string | undefined, _options: unknown, command: Command) => check(name, command));
}

type Row = Partial<DeviceCheck> & { host: string; up: boolean; ready: boolean };
const columns = [
  { title: 'HOST', value: (row: Row) => row.host },
  { title: 'DEVICE', value: (row: Row) => row.device ?? 'none' },
  { title: 'LEVEL', value: (row: Row) => row.level ?? null },
  { title: 'WOULD WORK', value: (row: Row) => paintState(row.ready ? 'ok' : 'failed') },
  { title: 'BINDING', value: (row: Row) => row.binding ?? null },
  { title: 'POWER', value: (row: Row) => row.power ?? null },
  { title: 'SECONDS', value: (row: Row) => row.seconds ?? null },
  { title: 'SAYS', value: (row: Row) => saysOf(row) },
];

async function check(name: string | undefined, command: Command): Promise<void> {
  const all = command.opts<{ all?: true }>().all === true;
  if ((name === undefined) !== all) {
    throw new DroverError('InvalidInput', 'one host, or --all', {
      hint: 'such as: drover host fence-check host1',
    });
  }
  await withContext(command, async (context) => {
    const checked = await checkFences(context, name ?? null);
    const rows = checked.flatMap(rowsOf);
    await printList(
      context.output,
      rows,
      columns,
      'no hosts yet: add one with `drover host add NAME --uri URI`',
    );
    const broken = checked
      .filter((one) => !one.devices.some((device) => isReady(device, one)))
      .map(({ host }) => host);
    if (broken.length === 0) return;
    process.exitCode = 1;
    note(
      `${broken.join(', ')} could not be fenced: their guests would wait for a person. See docs/fencing.md`,
    );
  });
}

function rowsOf({ host, devices, up }: CheckedHost): Row[] {
  if (devices.length === 0) return [{ host, ready: false, up }];
  return devices.map((device) => ({ host, ...device, up, ready: isReady(device, { up }) }));
}

function saysOf({ device, error, power, binding, bindingSays, up }: Row): string | null {
  if (device === undefined) return 'name one in drover.yaml: fencing.hosts';
  if (error !== null && error !== undefined) return error;
  if (power === 'off' && up)
    return 'it says that the power is off, and the host answers: it lies, or has the power of another host';
  return binding === 'same' ? null : (bindingSays ?? null);
}
