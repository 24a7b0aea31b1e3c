import type { Command } from 'commander';
import { listWaiting, sendAgain, tryReceiver } from '../../client/notices.js';
import { DroverError } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import { withContext } from '../context.js';
import { printData, printList, write } from '../output.js';

export function register(notification: Command): void {
  notification
    .command('list')
    .description('List the notices that were not taken yet, or were given up, and why; newest first.')
    .option('--all', 'also those that were taken, of the last seven days')
    .option('--limit <number>', 'how many', '100')
    .action((_options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const { all = false, limit } = command.opts<{ all?: true; limit: string }>();
        const rows = await listWaiting(context, { all, limit: Number(limit) || 100 });
        const none =
          context.config.notifications.length === 0
            ? 'nobody is told: name receivers under notifications in drover.yaml'
            : 'all that happened was told';
        await printList(context.output, rows.map(view), columns, none);
      }),
    );
  notification
    .command('test')
    .description('Post a notice that tells of nothing to a receiver, from this machine.')
    .argument('<receiver>', 'its name in drover.yaml')
    .action((name: string, _options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const why = await tryReceiver(context, context.config.notifications, name);
        if (why !== null)
          throw new DroverError('TimedOut', `${name} did not take it: ${why}`, {
            hint: 'see what the receiver says of it; docs/notifications.md tells how to check the signature',
          });
        if (context.output.format === 'table') return write(`${name} took it`);
        return printData(context.output, { receiver: name, taken: true });
      }),
    );
  notification
    .command('retry')
    .description('Send a notice again that waits or was given up, for another day.')
    .argument('<id>', 'its id, of the list')
    .action((id: string, _options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const notice = await sendAgain(context, id);
        if (context.output.format === 'table')
          return write(`${notice.event} is sent to ${notice.receiver} again`);
        return printData(context.output, view(notice));
      }),
    );
}

const stateOf = ({ sentAt, nextAt }: Notice): 'taken' | 'waiting' | 'given up' =>
  sentAt !== null ? 'taken' : nextAt === null ? 'given up' : 'waiting';

const view = (notice: Notice) => ({
  id: notice.id,
  receiver: notice.receiver,
  event: notice.event,
  subject: notice.subject,
  state: stateOf(notice),
  attempts: notice.attempts,
  nextAt: notice.nextAt,
  error: notice.error,
  createdAt: notice.createdAt,
  sentAt: notice.sentAt,
});

type Row = ReturnType<typeof view>;
const columns = [
  { title: 'ID', value: (row: Row) => row.id },
  { title: 'TO', value: (row: Row) => row.receiver },
  { title: 'EVENT', value: (row: Row) => row.event },
  { title: 'STATE', value: (row: Row) => row.state },
  { title: 'TRIED', value: (row: Row) => row.attempts },
  { title: 'NEXT', value: (row: Row) => row.nextAt },
  { title: 'WHY', value: (row: Row) => row.error },
];
