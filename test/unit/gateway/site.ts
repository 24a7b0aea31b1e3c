/** A gateway over an inventory in memory, with a token of each role, and a Temporal that notes what is started. */
import type { PayloadCodec } from '@temporalio/common';
import type { LightMyRequestResponse } from 'fastify';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { createToken, type Token } from '../../../activities/inventory/tokens.js';
import { buildApp, type AppOptions } from '../../../gateway/app.js';
import { DroverError } from '../../../model/errors.js';
import { guest, host } from '../inventory/world.js';

type Role = Token['role'];
export interface Begun {
  type: string;
  workflowId: string;
  args: unknown[];
}

export interface Site {
  app: Awaited<ReturnType<typeof buildApp>>;
  inventory: Inventory;
  secrets: Record<Role, string>;
  begun: Begun[];
  /** Temporal does not answer while it is. */
  away: boolean;
  ask(
    method: 'GET' | 'POST',
    url: string,
    more?: { body?: unknown; role?: Role; headers?: Record<string, string> },
  ): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

/** The id of web-1, an active instance on h1. */
export const web = '11111111-1111-4111-8111-111111111111';

export async function openGateway(options: AppOptions = {}, codec?: PayloadCodec): Promise<Site> {
  const inventory = await openInventory({ path: ':memory:' });
  for (const name of ['h1', 'h2']) await host({ inventory }, name);
  await guest({ inventory }, web, 'h1');
  const secrets: Partial<Record<Role, string>> = {};
  for (const role of ['viewer', 'operator', 'admin', 'automation'] as const) {
    const given = { name: role, role, runbooks: null, createdBy: 'ann', expiresAt: null };
    secrets[role] = (await createToken(inventory, given)).secret;
  }
  const begun: Begun[] = [];
  const client = {
    withDeadline: (_: unknown, work: () => unknown) => work(),
    workflow: {
      async start(type: string, { workflowId, args }: Omit<Begun, 'type'>) {
        begun.push({ type, workflowId, args });
        return { firstExecutionRunId: 'run' };
      },
    },
  };
  const site: Site = {
    inventory,
    secrets: secrets as Record<Role, string>,
    begun,
    away: false,
    app: await buildApp(
      {
        cloud: 'local',
        inventory,
        folders: [],
        uiOrigins: ['https://ui.example'],
        codec,
        async temporal() {
          if (site.away) throw new DroverError('TemporalUnreachable', 'Temporal does not answer');
          return { client, namespace: 'default', uiUrl: 'http://ui' } as never;
        },
      },
      options,
    ),
    ask: (method, url, { body, role = 'admin', headers = {} } = {}) =>
      site.app.inject({
        method,
        url,
        ...(body === undefined ? {} : { payload: body as object }),
        headers: { authorization: `Bearer ${site.secrets[role]}`, ...headers },
      }),
    async close() {
      await site.app.close();
      await closeInventory(inventory);
    },
  };
  return site;
}
