import type { Command } from 'commander';
import { listGuestEvents } from '../../activities/inventory/guest-events.js';
import { getInstance, history, listInstances } from '../../activities/inventory/instances.js';
import { urlOf } from '../../client/caller.js';
import { lookAtInstance } from '../../client/look-at.js';
import { instanceWorkflowId } from '../../model/addresses.js';
import { defaultMovePolicy, type Instance } from '../../model/instance.js';
import type { OperationRecord } from '../../model/operation.js';
import { registerAdopt } from '../adopt-command.js';
import { historyColumns, outcome } from '../history.js';
import { registerGuestAccess } from '../guest-access.js';
import { registerGuestEvents } from '../guest-events-command.js';
import { registerFollowing } from '../instance-following.js';
import { registerLaunch } from '../launch-command.js';
import { registerLock } from '../lock-command.js';
import { withContext } from '../context.js';
import { registerMoveAsks } from '../move-asks.js';
import { registerOperations } from '../operation-command.js';
import { printData, printList, printOne } from '../output.js';
import { paintState } from '../paint.js';
import { movesText } from '../texts.js';
import { instanceDetails, instanceView, operationView, type InstanceView } from '../../client/views.js';

const subject = ['<instance>', 'name or id of the instance'] as const;

export function register(instance: Command): void {
  registerAdopt(instance);
  instance
    .command('list')
    .description('List the instances.')
    .option('--host <host>', 'only those on this host')
    .option('--state <state>', 'only those in this state, such as active or error')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async ({ inventory, output }) => {
        const found = await listInstances(inventory, command.opts<{ host?: string; state?: string }>());
        const empty = 'no instances: `drover instance adopt HOST --all` takes those in that run already';
        await printList(output, found.map(instanceView), columns, empty);
      });
    });
  instance
    .command('show')
    .description('Show one instance: state, place, size, disks, what is wrong with it, its last operations.')
    .argument(...subject)
    .action((name: string, _options: unknown, command: Command) => show(name, command));
  registerLaunch(instance);
  registerOperations(instance, 'instance', ['launch', 'lock', 'unlock']);
  registerLock(instance);
  registerFollowing(instance);
  registerMoveAsks(instance);
  instance
    .command('history')
    .description('List what was done to an instance, newest first; also to one that is deleted, by its id.')
    .argument(...subject)
    .option('--limit <number>', 'how many', '20')
    .action(async (name: string, _options: unknown, command: Command) => {
      await withContext(command, async ({ inventory, output }) => {
        const { id } = await getInstance(inventory, name);
        const rows = await history(inventory, id, Number(command.opts<{ limit: string }>().limit) || 20);
        await printList(output, rows.map(operationView), historyColumns, `nothing was done to ${name} yet`);
      });
    });
  registerGuestEvents(instance);
  registerGuestAccess(instance);
}

const columns = [
  { title: 'NAME', value: (row: InstanceView) => row.name },
  { title: 'STATE', value: (row: InstanceView) => `${paintState(row.state)}${row.locked ? ', locked' : ''}` },
  { title: 'POWER', value: (row: InstanceView) => row.powerState },
  { title: 'TASK', value: (row: InstanceView) => row.task },
  { title: 'HOST', value: (row: InstanceView) => row.host },
  { title: 'FLAVOR', value: (row: InstanceView) => row.flavor },
  { title: 'ID', value: (row: InstanceView) => row.id },
];

async function show(name: string, command: Command): Promise<void> {
  await withContext(command, async (context) => {
    const { inventory, output, cloud } = context;
    const { instance: found, operations, migrations, kept } = await lookAtInstance(inventory, name);
    const [told] = found.cause === null ? [] : await listGuestEvents(inventory, found.id, 1);
    const todo = told?.cause === found.cause ? (told?.todo ?? undefined) : undefined;
    if (output.format !== 'table')
      return printData(output, instanceDetails(found, operations, migrations, kept));
    const temporal = found.task === null ? undefined : await context.temporal().catch(() => undefined);
    const url = temporal && urlOf(temporal, instanceWorkflowId(cloud, found.id));
    return printOne(output, found, [
      ['name', found.name],
      ['id', found.id],
      ['state', `${paintState(found.state)} (power ${found.powerState})`],
      ['fault', found.fault ?? undefined],
      ['cause', found.cause ?? undefined],
      ['to do', todo],
      ['needs repair', found.needsRepair ?? undefined],
      ['task', found.task === null ? 'none' : `${found.task}${url ? `, ${url}` : ''}`],
      ['host', found.host],
      ['locked', lockText(found)],
      ['policies', policyText(found)],
      ['saved', savedText(found)],
      ['resized', resizedText(found)],
      [
        'size',
        `${found.vcpus} vCPUs, ${found.memoryMiB} MiB${found.flavor === null ? '' : ` (flavor ${found.flavor})`}`,
      ],
      ['image', found.image ?? undefined],
      [
        'disks',
        found.disks.map(({ target, path, format }) => `${target} ${path} (${format})`).join('\n') || 'none',
      ],
      [
        'kept disks',
        kept.map(({ path, host }) => `${path}, until ${host} is readmitted`).join('\n') || undefined,
      ],
      [
        'metadata',
        Object.entries(found.metadata)
          .map(([key, value]) => `${key}=${value}`)
          .join(' ') || undefined,
      ],
      ['created', found.createdAt],
      ['updated', found.updatedAt],
      ['last operations', operations.map(operationLine).join('\n') || 'none'],
    ]);
  });
}

const operationLine = (one: OperationRecord): string =>
  [`${one.startedAt} ${one.kind}: ${paintState(one.state)}`, outcome(one)]
    .filter((text) => text !== '')
    .join(', ');

const policyText = ({ movePolicy, restartPolicy, haPolicy }: Instance): string =>
  `moves: ${movesText(movePolicy ?? defaultMovePolicy)}; restart: ${restartPolicy}; ha: ${haPolicy}`;

/** What is held until it is confirmed, and by whom that is done when. */
function resizedText({ name, resized }: Instance): string | undefined {
  if (resized === null) return undefined;
  const { kind, host, vcpus, memoryMiB, confirmsAt } = resized;
  const when = confirmsAt === null ? 'never confirms itself' : `confirms itself at ${confirmsAt}`;
  const before = `before the ${kind} on ${host}, ${vcpus} vCPUs, ${memoryMiB} MiB; ${when}`;
  return `${before}\nnow: drover instance confirm-resize ${name}, or revert-resize ${name}`;
}

const savedText = ({ saved }: Instance): string | undefined =>
  saved === null ? undefined : `memory on ${saved.host}, at ${saved.at}`;

const lockText = ({ locked, lockedBy, lockReason }: Instance): string =>
  locked ? `yes, by ${lockedBy ?? 'somebody'}: ${lockReason ?? 'no reason given'}` : 'no';
