/** A small catalogue in the likeness of the real one, so that these tests don't change with every operation. */
import { z } from 'zod';
import { durationSchema } from '../../../model/duration.js';
import type { Catalogue } from '../../../runbooks/language/catalogue.js';

const instance = z.string().min(1).describe('Name or id of the instance');
const host = z.string().min(1).describe('Name of the host');

const operations = [
  {
    key: 'instance.live-migrate',
    summary: 'Move a running instance to another host.',
    input: z.object({
      instance,
      host: host.optional(),
      bandwidth: z.int().positive().optional().describe('Cap in MiB per second'),
      wait: durationSchema.default('0s'),
      from: z.string().optional(),
      timeout: durationSchema.optional(),
    }),
  },
  {
    key: 'instance.stop',
    summary: 'Stop an instance.',
    input: z.object({ instance, force: z.boolean().default(false), grace: durationSchema.optional() }),
  },
  { key: 'instance.start', summary: 'Start an instance.', input: z.object({ instance }) },
  {
    key: 'instance.launch',
    summary: 'Make and start an instance.',
    input: z.object({
      name: z.string().min(1),
      disks: z.array(z.object({ path: z.string(), format: z.enum(['qcow2', 'raw']) })).min(1),
      metadata: z.record(z.string(), z.string()).optional(),
    }),
  },
  { key: 'host.disable', summary: 'Stop placing.', input: z.object({ host, reason: z.string().min(1) }) },
  { key: 'host.enable', summary: 'Place again.', input: z.object({ host }) },
];

const queries = [
  {
    name: 'instances',
    input: z.object({ host: host.optional(), state: z.enum(['active', 'stopped']).optional() }),
    item: z.object({
      id: z.string(),
      name: z.string(),
      host: z.string().nullable(),
      vcpus: z.int(),
      locked: z.boolean(),
      metadata: z.record(z.string(), z.string()),
    }),
  },
  { name: 'hosts', input: z.object({}), item: z.object({ name: z.string(), enabled: z.boolean() }) },
];

export const catalogue: Catalogue = {
  operations: new Map(operations.map((operation) => [operation.key, operation])),
  queries: new Map(queries.map((query) => [query.name, query])),
  runbooks: new Map([
    [
      'drain-host',
      {
        inputs: {
          host: { type: 'host', description: 'The host to empty.' },
          parallel: { type: 'integer', minimum: 1, default: 2 },
          wait: { type: 'duration', default: '10m' },
        },
        outputs: { moved: 'double', remaining: 'double' },
      },
    ],
    // One with mistakes of its own: what it takes is not known.
    ['broken', null],
  ]),
};
