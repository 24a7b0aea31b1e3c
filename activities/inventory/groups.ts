/** Server groups: instances that belong on one host, or each on another. */
import type { GroupPolicy } from '../../model/host.js';
import { DroverError } from '../../model/errors.js';
import { read, transact, type Inventory } from './database.js';
import { hostsOfInstances, membersOf, refuseBroken, requireGroup } from './group-members.js';

export interface ServerGroup {
  name: string;
  policy: GroupPolicy;
  createdAt: string;
  members: { id: string; name: string; hosts: string[] }[];
}

export async function createGroup(inventory: Inventory, name: string, policy: GroupPolicy): Promise<void> {
  await transact(inventory, async (trx) => {
    const found = await trx
      .selectFrom('server_groups')
      .select('policy')
      .where('name', '=', name)
      .executeTakeFirst();
    if (found !== undefined) {
      throw new DroverError('AlreadyExists', `there is a server group "${name}" already (${found.policy})`, {
        details: { group: name, policy: found.policy },
      });
    }
    await trx.insertInto('server_groups').values({ name, policy, created_at: inventory.now() }).execute();
  });
}

/** Refused while it has members: they would lose the rule that they were placed by. */
export async function deleteGroup(inventory: Inventory, name: string): Promise<void> {
  await transact(inventory, async (trx) => {
    await requireGroup(trx, name);
    const members = (await membersOf(trx, name)).map((member) => member.name);
    if (members.length > 0) {
      const shown = members.slice(0, 5).join(', ') + (members.length > 5 ? ', …' : '');
      throw new DroverError('WrongState', `server group ${name} has ${members.length} members: ${shown}`, {
        details: { group: name, members },
        hint: 'a group can be deleted once its last member is terminated or taken out: drover server-group remove',
      });
    }
    await trx.deleteFrom('server_groups').where('name', '=', name).execute();
  });
}

export async function listGroups(inventory: Inventory): Promise<ServerGroup[]> {
  return read(inventory, async (db) => {
    const rows = await db.selectFrom('server_groups').selectAll().orderBy('name').execute();
    const groups: ServerGroup[] = [];
    for (const { name, policy, created_at } of rows)
      groups.push({ name, policy, createdAt: created_at, members: await membersOf(db, name) });
    return groups;
  });
}

export async function getGroup(inventory: Inventory, name: string): Promise<ServerGroup> {
  return read(inventory, async (db) => {
    const { policy, created_at } = await requireGroup(db, name);
    return { name, policy, createdAt: created_at, members: await membersOf(db, name) };
  });
}

/** Puts an instance into a group, or with null takes it out; refused where a hard policy would be broken at once. */
export async function setGroup(inventory: Inventory, instance: string, group: string | null): Promise<void> {
  await transact(inventory, async (trx) => {
    const row = await trx
      .selectFrom('instances')
      .select(['id', 'name', 'server_group'])
      .where('id', '=', instance)
      .where('state', '<>', 'deleted')
      .executeTakeFirstOrThrow();
    if (group !== null && row.server_group !== null && row.server_group !== group) {
      throw new DroverError('WrongState', `${row.name} is in the server group ${row.server_group}`, {
        hint: `take it out first: drover server-group remove ${row.server_group} ${row.name}`,
      });
    }
    if (group !== null) {
      const [mine] = await hostsOfInstances(trx, 'id', row.id);
      await refuseBroken(trx, row, group, mine?.hosts ?? []);
    }
    await trx
      .updateTable('instances')
      .set({ server_group: group, updated_at: inventory.now() })
      .where('id', '=', row.id)
      .execute();
  });
}
