/** Which datacenter a `drover sim` command is about. */
import type { Command } from 'commander';
import { systemClock } from '../activities/clock.js';
import type { Datacenter } from '../activities/simulator/datacenter.js';
import { openDatacenters, type Datacenters } from '../activities/simulator/folder.js';
import { DroverError } from '../model/errors.js';
import { configOf } from './context.js';
import { toNumber } from './schema-options.js';

const standard = 'sim';

export const withDatacenter = (command: Command): Command =>
  command.option('--datacenter <name>', `which simulated datacenter (default: the only one, or ${standard})`);

export async function inDatacenter(
  command: Command,
  work: (datacenter: Datacenter) => Promise<void>,
): Promise<void> {
  const { data } = await configOf(command);
  const datacenters = openDatacenters(data, systemClock);
  try {
    const { datacenter } = command.opts<{ datacenter?: string }>();
    await work(datacenters.get(chosen(datacenters, datacenter)));
  } finally {
    datacenters.close();
  }
}

export function chosen(datacenters: Datacenters, named: string | undefined): string {
  if (named !== undefined) return named;
  const names = datacenters.names();
  const [only = standard, ...more] = names;
  if (more.length === 0) return only;
  throw new DroverError('Ambiguous', `there are ${names.length} datacenters: ${names.join(', ')}`, {
    hint: 'name one with --datacenter',
  });
}

export function whole(flag: string, text: string, least: number): number {
  const value = toNumber(flag, text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new DroverError('InvalidInput', `--${flag} takes a whole number from ${least}, not ${text}`);
}
