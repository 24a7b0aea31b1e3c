import type { Command } from 'commander';
import { withContext } from '../context.js';

export function register(gatewayCommand: Command): void {
  gatewayCommand
    .description(
      'Answer HTTP until Ctrl-C: a REST API, alerts of Alertmanager, metrics for Prometheus; with tokens of `drover api-token create`. ' +
        'Where it listens and its certificate: gateway in drover.yaml (default 127.0.0.1:8480).',
    )
    .option('--listen <address:port>', 'where, instead of gateway.listen in drover.yaml')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const { serve } = await import('../../gateway/serve.js');
        const { encryptionKeys } = await import('../../config/encryption.js');
        const { encryptionCodec } = await import('../../temporal/codec.js');
        const keys = await encryptionKeys(context.config.encryption, process.env);
        const [first, ...more] = keys;
        const gateway = {
          ...context,
          folders: context.config.runbooks,
          uiOrigins: context.config.gateway.uiOrigins,
          codec: first && encryptionCodec([first, ...more]),
        };
        const { listeningAt } = await import('../../config/gateway.js');
        const { listen } = command.opts<{ listen?: string }>();
        const { gateway: config } = context.config;
        const at = listen === undefined ? config : listeningAt(config, listen);
        await serve(gateway, at, (line) => context.say(line));
      });
    });
}
