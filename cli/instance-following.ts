import type { Command } from 'commander';
import { withContext } from './context.js';
import { addWaitOptions, waitOptionsOf } from './waiting.js';

/** Following and cancelling the operation that runs on an instance. */
export function registerFollowing(instance: Command): void {
  addWaitOptions(
    instance
      .command('watch')
      .description('Follow the operation that runs on an instance to its end.')
      .argument('<instance>', 'name or id of the instance'),
  ).action((name: string, _options: unknown, command: Command) =>
    withContext(command, async (context) => {
      const { watchInstance } = await import('./running-operation.js');
      await watchInstance(context, name, waitOptionsOf(command));
    }),
  );
  addWaitOptions(
    instance
      .command('cancel')
      .description('Cancel the operation that runs on an instance; what it did is taken back.')
      .argument('<instance>', 'name or id of the instance'),
  ).action((name: string, _options: unknown, command: Command) =>
    withContext(command, async (context) => {
      const { cancelInstance } = await import('./running-operation.js');
      await cancelInstance(context, name, waitOptionsOf(command));
    }),
  );
}
