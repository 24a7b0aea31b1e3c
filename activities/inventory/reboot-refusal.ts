import { DroverError } from '../../model/errors.js';
import type { Inventory, Trx } from './database.js';
import { maintenanceOf } from './rows.js';
import type { HostRow } from './schema.js';

/** Why a host may not be rebooted now: new instances may come, or something is there that would be lost. */
export async function rebootRefusal(
  trx: Trx,
  inventory: Inventory,
  host: HostRow,
): Promise<DroverError | undefined> {
  const { name } = host;
  const details = { host: name };
  const whole = `or \`drover host reboot ${name}\`, which does all of it`;
  if (host.enabled === 1 && maintenanceOf(host, inventory) === null) {
    const rule = 'a host is rebooted only while it takes no new instances';
    return new DroverError('WrongState', `${rule}; ${name} is enabled and not in maintenance`, {
      details,
      hint: `drain it first: \`drover host drain ${name}\`, ${whole}`,
    });
  }
  const here = await present(trx, name);
  if (here.length === 0) return undefined;
  const shown = here.slice(0, 5).join(', ') + (here.length > 5 ? ', …' : '');
  const rule = 'a host is rebooted only when nothing runs there or is on its way';
  return new DroverError('WrongState', `${rule}; ${name} has ${shown}`, {
    details: { ...details, instances: here },
    hint: `move them away or stop them first: \`drover host drain ${name}\`, ${whole}`,
  });
}

/** What is on the host and not stopped, is being worked on, or has a claim on it: `web-1 (active)`. */
async function present(trx: Trx, host: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('instances')
    .leftJoin('allocations', (join) =>
      join.onRef('allocations.instance', '=', 'instances.id').on('allocations.host', '=', host),
    )
    .select(['instances.name', 'instances.state', 'power_state', 'instances.host', 'op_kind'])
    .distinct()
    .where('instances.state', '<>', 'deleted')
    .where((e) => e.or([e('instances.host', '=', host), e('allocations.host', '=', host)]))
    .orderBy('instances.name')
    .execute();
  return rows
    .filter((row) => row.host !== host || row.op_kind !== null || !isOff(row.state, row.power_state))
    .map(({ name, state, op_kind: task, host: on }) => {
      const what = [on === host ? state : 'on its way there', ...(task === null ? [] : [task])];
      return `${name} (${what.join(', ')})`;
    });
}

/** A launch that failed left nothing that runs; what was not seen to be off may run. */
const isOff = (state: string, power: string): boolean =>
  state === 'stopped' || (state === 'error' && ['shutoff', 'absent'].includes(power));
