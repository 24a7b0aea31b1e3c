import type { Command } from 'commander';
import { withContext } from '../context.js';

export function register(gateway: Command): void {
  gateway
    .description(
      'Answer HTTP until Ctrl-C: /healthz, /readyz, and with a token of `drover api-token create` /metrics for Prometheus. ' +
        'Where it listens and its certificate: gateway in drover.yaml (default 127.0.0.1:8480).',
    )
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const { serve } = await import('../../gateway/serve.js');
        const gateway = { ...context, folders: context.config.runbooks };
        await serve(gateway, context.config.gateway, (line) => context.say(line));
      });
    });
}
