import { DroverError } from '../../model/errors.js';
import type { Fence, IncidentState } from '../../model/incident.js';
import type { Trx } from './database.js';
import { fromJson } from './rows.js';
import type { HostRow } from './schema.js';

/** Recoveries in these states may begin to evacuate at any moment. */
const busy: readonly IncidentState[] = ['confirming', 'fencing', 'evacuating'];

export const fenceOf = (host: Pick<HostRow, 'fence'>): Fence | null => fromJson(host.fence) as Fence | null;

/** Why a host may not be readmitted now: it is not fenced, or what it had is just being started elsewhere. */
export async function readmitRefusal(trx: Trx, host: HostRow): Promise<DroverError | undefined> {
  const { name } = host;
  const fence = fenceOf(host);
  if (fence === null) {
    return new DroverError('WrongState', `only a fenced host is readmitted; ${name} is not fenced`, {
      details: { host: name },
      hint: `see \`drover host show ${name}\`; one that is only disabled: drover host enable ${name}`,
    });
  }
  const open = await evacuations(trx, name);
  if (open.length > 0) {
    const shown = open.slice(0, 5).join(', ') + (open.length > 5 ? ', …' : '');
    return tooEarly(name, fence, `${shown} ${open.length === 1 ? 'is' : 'are'} being evacuated from it`);
  }
  const incident = await trx
    .selectFrom('incidents')
    .select(['state', 'ended_at'])
    .where('id', '=', fence.incident)
    .executeTakeFirst();
  if (incident?.ended_at === null && busy.includes(incident.state))
    return tooEarly(name, fence, `its recovery is ${incident.state}`);
  return undefined;
}

const tooEarly = (host: string, { incident }: Fence, why: string): DroverError =>
  new DroverError(
    'WrongState',
    `a host is readmitted once nothing is started elsewhere in its place; ${host}: ${why}`,
    {
      details: { host, incident },
      hint: `it stays quarantined meanwhile; follow it with \`drover incident show ${incident}\`, then ask again`,
    },
  );

/** Names of the instances that are on their way from it. */
async function evacuations(trx: Trx, host: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('instances')
    .select('name')
    .where('host', '=', host)
    .where('op_kind', '=', 'evacuate')
    .orderBy('name')
    .execute();
  return rows.map(({ name }) => name);
}
