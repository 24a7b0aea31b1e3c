/** What drover.yaml says of fence devices: by which agents a host is cut off its power. Never a secret, only where it is. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { durationSchema, parseDuration } from '../model/duration.js';
import type { FenceDeviceConfig, FencingConfig } from '../model/fence-devices.js';
import type { FileIssue, YamlFile } from './yaml-file.js';

const parameter = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be a text, a number, true or false',
});
const device = z.strictObject({
  agent: z
    .string()
    .regex(/^fence_[a-z0-9_]+$/, { error: 'must be the name of a fence agent, such as fence_redfish' })
    .describe(
      'A program of fence-agents, such as fence_redfish or fence_ipmilan; `man fence_redfish` tells its parameters.',
    ),
  level: z
    .int()
    .positive()
    .optional()
    .describe(
      'Devices of level 1 are tried first; all of a level must say that the power is off. Default: one level each, in their order.',
    ),
  with: z
    .record(z.string(), parameter)
    .default({})
    .describe('Parameters of the agent, as its metadata names them (`fence_redfish -o metadata`).'),
  secrets: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Its secret parameters, by reference: env:NAME or file:/path, read by the worker when it is needed.',
    ),
  uuid: z
    .guid({ error: 'must be a UUID' })
    .optional()
    .describe('Where the device tells another system UUID than the hypervisor: the one that it tells.'),
  trust_binding: z
    .boolean()
    .default(false)
    .describe(
      'Your word that this device has the power of this host, where it can not tell that itself. Without it such a device is not used. ' +
        'Cut the host off with it once, and look, before you write true.',
    ),
  limit: durationSchema
    .default('40s')
    .describe('How long the agent may take for one call before it is ended with all that it started.'),
});

export const fencingSchema = z
  .strictObject({
    hosts: z
      .record(z.string(), z.array(device).min(1))
      .default({})
      .describe('The fence devices of each host, by its name in the inventory.'),
    check: durationSchema
      .or(z.literal('never'))
      .default('10m')
      .describe(
        'How often the fence devices of all hosts are asked whether they would work; never: by hand alone.',
      ),
    count_self_fence: z
      .boolean()
      .default(false)
      .describe(
        'Whether a watchdog or lease that the platform armed on a host proves that nothing runs there once its time is over. ' +
          'Only where it is set off by the very silence that the vantage points see: docs/fencing.md.',
      ),
  })
  .prefault({})
  .describe('How a host is cut off its power before its guests are started elsewhere.');

type Told = z.output<typeof fencingSchema>;

export function fencingOf(told: Told, base: string): FencingConfig {
  const secret = (reference: string): string =>
    reference.startsWith('file:') ? `file:${resolve(base, reference.slice(5))}` : reference;
  const hosts = Object.entries(told.hosts).map(([host, devices]) => [
    host,
    devices.map((one, index): FenceDeviceConfig => ({
      level: one.level ?? index + 1,
      agent: one.agent,
      with: Object.fromEntries(Object.entries(one.with).map(([key, value]) => [key, textOf(value)])),
      secrets: Object.fromEntries(Object.entries(one.secrets).map(([key, value]) => [key, secret(value)])),
      uuid: one.uuid?.toLowerCase() ?? null,
      trustBinding: one.trust_binding,
      limitSeconds: parseDuration(one.limit) ?? 40,
    })),
  ]);
  return {
    hosts: Object.fromEntries(hosts) as FencingConfig['hosts'],
    checkEverySeconds: told.check === 'never' ? null : (parseDuration(told.check) ?? null),
    countSelfFence: told.count_self_fence,
  };
}

const textOf = (value: string | number | boolean): string =>
  typeof value === 'boolean' ? (value ? '1' : '0') : String(value);

/** What fills logs with secrets, or is drover's own to say. */
const ours: Record<string, string> = {
  action: 'drover says off, on and status itself, and never reboot',
  delay: 'drover waits by itself (recovery.settle)',
  debug: 'it writes secrets to a file',
  debug_file: 'it writes secrets to a file',
  verbose: 'it tells secrets',
  verbose_level: 'it tells secrets',
  help: 'it is no parameter of a device',
  version: 'it is no parameter of a device',
};

/** The names that agents give to secrets; a script that tells one, or a path, is none. */
export const isSecretKey = (key: string): boolean =>
  /pass|secret|token|api_?key|hexadecimal_kg|community/i.test(key) && !/_?(script|path|file)$/i.test(key);

/** What a schema can't tell. Never with a value: it may be a secret. */
export function fencingIssues({ hosts }: Told, issue: YamlFile<unknown>['issue']): FileIssue[] {
  return Object.entries(hosts).flatMap(([host, devices]) =>
    devices.flatMap((one, index) => {
      const at = ['fencing', 'hosts', host, index];
      const told: FileIssue[] = [];
      for (const [key, value] of Object.entries(one.with)) {
        const place = [...at, 'with', key];
        const why = ours[key];
        if (why !== undefined)
          told.push(issue(place, 'must not be set here', { atKey: true, hint: `${why}; leave it out` }));
        else if (isSecretKey(key)) {
          const hint = `write it by reference: secrets: { ${key}: env:NAME } or { ${key}: file:/etc/drover/secret }`;
          told.push(issue(place, 'must not hold a secret: this file is read by many', { atKey: true, hint }));
        } else if (/[\r\n]/.test(String(value)))
          told.push(issue(place, 'must be one line', { hint: 'an agent reads a parameter a line' }));
      }
      for (const [key, reference] of Object.entries(one.secrets)) {
        const place = [...at, 'secrets', key];
        if (!/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/.test(reference)) {
          const hint = 'write env:NAME or file:/path; the secret itself belongs there';
          told.push(issue(place, 'must be a reference, not the secret', { hint }));
        }
        if (key in one.with)
          told.push(issue(place, 'stands in `with`, too', { atKey: true, hint: 'remove one of the two' }));
      }
      return told;
    }),
  );
}
