import type { Command } from 'commander';
import {
  createGroup,
  deleteGroup,
  getGroup,
  listGroups,
  setGroup,
  type ServerGroup,
} from '../../activities/inventory/groups.js';
import { getInstance } from '../../activities/inventory/instances.js';
import { mayOperate } from '../../client/permissions.js';
import { recorded } from '../../client/trail.js';
import { DroverError } from '../../model/errors.js';
import { groupPolicies, type GroupPolicy } from '../../model/host.js';
import { withContext, type Context } from '../context.js';
import { printData, printList, printOne, write } from '../output.js';
import { counted } from '../texts.js';

export function register(group: Command): void {
  group
    .command('list')
    .description('List the server groups and how many members each has.')
    .action((_options: unknown, command: Command) =>
      withContext(command, async ({ inventory, output }) => {
        const empty =
          'no server groups: make one with `drover server-group create NAME --policy anti-affinity`';
        await printList(output, await listGroups(inventory), columns, empty);
      }),
    );
  group
    .command('show')
    .description('Show one server group: its policy, its members and where they are.')
    .argument('<group>', 'its name')
    .action((name: string, _options: unknown, command: Command) =>
      withContext(command, async ({ inventory, output }) => {
        const found = await getGroup(inventory, name);
        await printOne(output, found, [
          ['name', found.name],
          ['policy', found.policy],
          ['created', found.createdAt],
          ['members', found.members.map(memberText).join('\n') || 'none'],
        ]);
      }),
    );
  group
    .command('create')
    .description('Make a server group; instances join it when they are launched or adopted.')
    .argument('<name>', 'its name')
    .requiredOption(
      '--policy <policy>',
      `${groupPolicies.join(', ')}: its members on one host, or each on another; soft: where it can be`,
    )
    .action((name: string, options: { policy: string }, command: Command) =>
      change(command, async ({ inventory }) => {
        const policy = policyOf(options.policy);
        await createGroup(inventory, checkedName(name), policy);
        return { group: await getGroup(inventory, name), says: `server group ${name}: ${policy}` };
      }),
    );
  group
    .command('delete')
    .description('Delete a server group that has no members.')
    .argument('<group>', 'its name')
    .action((name: string, _options: unknown, command: Command) =>
      change(command, async ({ inventory }) => {
        const found = await getGroup(inventory, name);
        await deleteGroup(inventory, name);
        return { group: found, says: `server group ${name} is deleted` };
      }),
    );
  member(
    group,
    'add',
    'Put an instance into a group; refused where it is on a host that the policy forbids.',
  );
  member(group, 'remove', 'Take an instance out of a group; it stays where it is.');
}

function member(parent: Command, verb: 'add' | 'remove', description: string): void {
  parent
    .command(verb)
    .description(description)
    .argument('<group>', 'name of the group')
    .argument('<instance>', 'name or id of the instance')
    .action((name: string, instance: string, _options: unknown, command: Command) =>
      change(command, async ({ inventory }) => {
        await getGroup(inventory, name);
        const found = await getInstance(inventory, instance);
        if (verb === 'remove' && found.serverGroup !== name)
          throw new DroverError('WrongState', `${found.name} is not in the server group ${name}`);
        await setGroup(inventory, found.id, verb === 'add' ? name : null);
        const says = `${found.name} is ${verb === 'add' ? 'now' : 'no longer'} in the server group ${name}`;
        return { group: await getGroup(inventory, name), says };
      }),
    );
}

async function change(
  command: Command,
  work: (context: Context) => Promise<{ group: ServerGroup; says: string }>,
): Promise<void> {
  await withContext(command, async (context) => {
    const entry = {
      action: `server-group.${command.name()}`,
      subject: command.args[0] ?? '',
      details: { args: command.args },
    };
    const { group, says } = await recorded(context, entry, () => {
      mayOperate(context);
      return work(context);
    });
    return context.output.format === 'table' ? write(says) : printData(context.output, group);
  });
}

function policyOf(text: string): GroupPolicy {
  const policy = groupPolicies.find((known) => known === text);
  if (policy !== undefined) return policy;
  throw new DroverError('InvalidInput', `"${text}" is no policy of a server group`, {
    hint: `the policies are ${groupPolicies.join(', ')}`,
  });
}

function checkedName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/.test(name)) return name;
  throw new DroverError(
    'InvalidInput',
    `"${name}" is no name for a server group: letters, digits, dot, dash and underscore, at most 63`,
  );
}

const memberText = ({ name, hosts }: ServerGroup['members'][number]): string =>
  `${name} (${hosts.length === 0 ? 'on no host' : hosts.join(' and ')})`;

const columns = [
  { title: 'NAME', value: (row: ServerGroup) => row.name },
  { title: 'POLICY', value: (row: ServerGroup) => row.policy },
  { title: 'MEMBERS', value: (row: ServerGroup) => counted(row.members.length, 'instance') },
  {
    title: 'HOSTS',
    value: (row: ServerGroup) => new Set(row.members.flatMap((one) => one.hosts)).size,
  },
];
