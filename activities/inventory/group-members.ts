import { DroverError } from '../../model/errors.js';
import type { Trx } from './database.js';
import { suggestion } from './no-such.js';
import { groupRefusal } from './placement/group.js';
import type { Group } from './placement/request.js';
import type { ServerGroupsTable } from './schema.js';

export interface Member {
  id: string;
  name: string;
  /** Where it is, and where an operation has claimed room for it. */
  hosts: string[];
}

/** The group and its members but `except`, for a placement. Read in the claim's transaction: nobody gets in between. */
export async function groupOf(db: Trx, name: string, except: string): Promise<Group> {
  const { policy } = await requireGroup(db, name);
  const members = (await membersOf(db, name)).filter((member) => member.id !== except);
  const lost = await db.selectFrom('hosts').select('name').where('fence', 'is not', null).execute();
  const fenced = new Set(lost.map((host) => host.name));
  if (fenced.size === 0) return { name, policy, members };
  // Whoever is on a fenced host is nowhere yet: the group is where those are that were evacuated before.
  return {
    name,
    policy,
    members: members.flatMap((member) => {
      const hosts = member.hosts.filter((host) => !fenced.has(host));
      return hosts.length === 0 ? [] : [{ ...member, hosts }];
    }),
  };
}

/** Throws NoValidHost when an instance that is on these hosts would break the group's hard policy as a member. */
export async function refuseBroken(
  trx: Trx,
  { id, name }: { id: string; name: string },
  group: string,
  hosts: readonly string[],
): Promise<void> {
  const others = await groupOf(trx, group, id);
  for (const host of hosts) {
    const refusal = groupRefusal(host, others);
    if (refusal === undefined) continue;
    throw new DroverError('NoValidHost', `${name} is on ${host}, where it can't be a member: ${refusal}`, {
      details: { instance: id, group, host },
      hint: 'move it first, then put it into the group',
    });
  }
}

export const membersOf = (db: Trx, group: string): Promise<Member[]> =>
  hostsOfInstances(db, 'server_group', group);

export async function hostsOfInstances(
  db: Trx,
  column: 'id' | 'server_group',
  value: string,
): Promise<Member[]> {
  const rows = await db
    .selectFrom('instances')
    .leftJoin('allocations', 'allocations.instance', 'instances.id')
    .select(['instances.id', 'instances.name', 'instances.host', 'allocations.host as claimed'])
    .where(`instances.${column}`, '=', value)
    .where('instances.state', '<>', 'deleted')
    .orderBy('instances.name')
    .orderBy('instances.id')
    .execute();
  const members = new Map<string, Member>();
  for (const { id, name, host, claimed } of rows) {
    const member = members.get(id) ?? { id, name, hosts: [] };
    members.set(id, member);
    for (const one of [host, claimed])
      if (one !== null && !member.hosts.includes(one)) member.hosts.push(one);
  }
  return [...members.values()];
}

export const findGroup = (db: Trx, name: string): Promise<ServerGroupsTable | undefined> =>
  db.selectFrom('server_groups').selectAll().where('name', '=', name).executeTakeFirst();

export async function requireGroup(db: Trx, name: string): Promise<ServerGroupsTable> {
  const row = await findGroup(db, name);
  if (row === undefined) throw await noGroup(db, name);
  return row;
}

export async function noGroup(db: Trx, name: string): Promise<DroverError> {
  const names = await db.selectFrom('server_groups').select('name').orderBy('name').execute();
  const guess = suggestion(
    name,
    names.map((other) => other.name),
  );
  return new DroverError('NotFound', `there is no server group "${name}"${guess}`, {
    details: { group: name },
    hint: 'list them with `drover server-group list`',
  });
}
