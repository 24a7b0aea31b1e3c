/** The process `drover gateway`: it listens until it is told to end, and answers what it has begun. */
import { readFile } from 'node:fs/promises';
import type { GatewayConfig } from '../config/gateway.js';
import { DroverError } from '../model/errors.js';
import { aborted, catchSignals } from '../temporal/signals.js';
import { buildApp } from './app.js';
import type { Gateway } from './gateway.js';

export async function serve(
  gateway: Gateway,
  { address, port, tls }: GatewayConfig,
  say: (line: string) => void,
): Promise<void> {
  const certificate = tls === null ? {} : { tls: { cert: await pem(tls.cert), key: await pem(tls.key) } };
  const app = await buildApp(gateway, { logger: { level: 'warn' }, ...certificate });
  const signals = catchSignals();
  try {
    const at = await app.listen({ host: address, port }).catch((cause: NodeJS.ErrnoException) => {
      throw new DroverError(
        'InvalidConfig',
        `the gateway can't listen on ${address}:${port}: ${cause.message}`,
        {
          hint: 'free the port, or name another in gateway.listen of drover.yaml',
          cause,
        },
      );
    });
    say(`the gateway of ${gateway.cloud} listens on ${at}`);
    await aborted(signals.end);
  } finally {
    await app.close();
    signals.release();
  }
}

async function pem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new DroverError('InvalidConfig', `${file} can't be read: ${String(cause)}`, {
      hint: 'gateway.tls in drover.yaml names it; the user of the gateway must be able to read it',
      cause,
    });
  }
}
