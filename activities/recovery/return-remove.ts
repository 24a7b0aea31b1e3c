/** What is taken away from a host that came back; each looks anew whether it is still right. */
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Hypervisor } from '../hypervisor/port.js';
import { read, transact, type Inventory } from '../inventory/database.js';
import { requireHost } from '../inventory/hosts.js';
import { fenceOf } from '../inventory/readmit-refusal.js';
import { isOff } from './return-list.js';
import { tellIncident } from './return-log.js';
import type { StaleGuest } from './return-types.js';

interface Deps {
  inventory: Inventory;
  hypervisor: Hypervisor;
}

export async function removeStale(
  { inventory, hypervisor }: Deps,
  { host, guest }: { host: HostRef; guest: StaleGuest },
): Promise<{ ran: boolean }> {
  const { instance, name, held } = guest;
  const row = await read(inventory, (db) =>
    db.selectFrom('instances').select(['host', 'state']).where('id', '=', instance).executeTakeFirst(),
  );
  if (row === undefined || (row.host === host.name && row.state !== 'deleted')) {
    throw new DroverError(
      'WrongState',
      `${name} on ${host.name} is not stale any more: the inventory has it there`,
      {
        details: { host: host.name, instance },
        hint: 'readmit the host again: it is looked at anew',
      },
    );
  }
  const view = await hypervisor.look(host, instance);
  if (view === null) return { ran: false };
  const ran = !isOff(view);
  if (ran) {
    // Told before it is ended: whoever reads of it must know that for some time two may have run.
    const where = row.host === null ? 'its instance is deleted' : `its instance is on ${row.host}`;
    const says = `${name} was ${view.power} on ${host.name} although ${where}: a second copy, ended now`;
    await transact(inventory, async (trx) => {
      const fence = fenceOf(await requireHost(trx, host.name));
      const line = { phase: 'two-copies', says, details: { instance, host: host.name } };
      if (fence !== null) await tellIncident(trx, inventory, fence.incident, line);
    });
    await hypervisor.destroy(host, instance);
  }
  if (held) return { ran };
  await hypervisor.undefine(host, instance);
  if ((await hypervisor.look(host, instance)) !== null) {
    throw new DroverError('HypervisorError', `${host.name}: ${name} is still there after it was removed`, {
      details: { host: host.name, instance },
    });
  }
  return { ran };
}

/** Also those of nobody: whatever a host starts by itself, it starts before anybody has looked at it. */
export async function stopAutostart(
  { hypervisor }: Deps,
  { host }: { host: HostRef },
): Promise<{ names: string[] }> {
  const names: string[] = [];
  for (const { id, name, autostart } of await hypervisor.list(host)) {
    if (!autostart) continue;
    await hypervisor.disableAutostart(host, id);
    names.push(name);
  }
  return { names };
}
