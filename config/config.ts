/** drover.yaml: what this machine's drover works on and as whom. Without a file the defaults do. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { durationSchema, parseDuration } from '../model/duration.js';
import { DroverError } from '../model/errors.js';
import type { FencingConfig } from '../model/fence-devices.js';
import type { Receiver } from '../model/notice.js';
import type { InventoryPlace } from '../model/inventory.js';
import type { RecoveryRules } from '../model/recovery.js';
import { readDevOptions } from './dev-options.js';
import { encryptionIssues, encryptionSchema, type EncryptionConfig } from './encryption.js';
import { fencingIssues, fencingOf, fencingSchema } from './fencing.js';
import { gatewayIssues, gatewayOf, gatewaySchema, type GatewayConfig } from './gateway.js';
import { inventorySchema, placeIssues, placeOf } from './inventory-place.js';
import { notificationIssues, notificationsSchema, receiversOf } from './notifications.js';
import { recoveryIssues, recoveryOf, recoverySchema } from './recovery.js';
import { readYaml, throwIssues, type YamlFile } from './yaml-file.js';

const roles = ['viewer', 'operator', 'admin'] as const;
type Role = (typeof roles)[number];

const configSchema = z
  .strictObject({
    cloud: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,30}$/, {
        error: 'must begin with a small letter and go on with small letters, digits and -',
      })
      .optional()
      .describe(
        'The name of the cloud: it begins every workflow id, as in local/instance/…. Default: what `drover dev --cloud` was ' +
          'told for the data folder, else local.',
      ),
    data: z
      .string()
      .min(1)
      .default('.drover')
      .describe('The folder for what drover keeps: inventory, Temporal server, logs.'),
    inventory: inventorySchema,
    identity: z
      .strictObject({
        name: z
          .string()
          .min(1)
          .optional()
          .describe(
            'Recorded with all that you start. Default: the user who is logged in, also behind sudo.',
          ),
        role: z
          .enum(roles)
          .default('admin')
          .describe('viewer looks, operator runs operations and runbooks, admin does everything.'),
      })
      .prefault({})
      .describe('Who you are for drover.'),
    audit: z
      .strictObject({
        every: durationSchema
          .or(z.literal('never'))
          .default('1h')
          .describe(
            'How often the inventory is compared with the hypervisors, such as 1h; never: by hand alone.',
          ),
      })
      .prefault({})
      .describe('`drover audit inventory`, done by the workers; nothing is repaired by it.'),
    placement: z
      .strictObject({
        strategy: z
          .enum(['spread', 'pack'])
          .default('spread')
          .describe('spread takes the emptiest host that fits, pack the fullest.'),
      })
      .prefault({})
      .describe('How hosts are chosen.'),
    encryption: encryptionSchema,
    fencing: fencingSchema,
    gateway: gatewaySchema,
    notifications: notificationsSchema,
    recovery: recoverySchema,
    runbooks: z
      .array(z.string().min(1))
      .default([])
      .describe('Folders with runbooks of your own; one with the name of a shipped runbook takes its place.'),
  })
  .describe('The configuration of drover. Relative paths begin at the folder of this file.');

export interface Config {
  /** The file it came from; undefined when all are defaults. */
  file?: string;
  cloud: string;
  /** Absolute, as all paths here. */
  data: string;
  inventory: InventoryPlace;
  identity: { name: string; role: Role };
  placement: { strategy: 'spread' | 'pack' };
  encryption: EncryptionConfig;
  fencing: FencingConfig;
  gateway: GatewayConfig;
  notifications: Receiver[];
  recovery: RecoveryRules;
  runbooks: string[];
  /** null for never. */
  auditEverySeconds: number | null;
}

export interface ConfigSource {
  /** From --config; else DROVER_CONFIG, else drover.yaml in the working folder if there is one. */
  file?: string | undefined;
  /** From --data: comes before the file. */
  dataDir?: string | undefined;
  cwd?: string;
  env?: Readonly<Record<string, string | undefined>>;
}

/** Throws InvalidConfig with `details.issues`, or NotFound when a file that was named isn't there. */
export async function loadConfig(source: ConfigSource = {}): Promise<Config> {
  const { cwd = process.cwd(), env = process.env } = source;
  const file = findFile(source.file, cwd, env);
  const value = file === undefined ? configSchema.parse({}) : await readFileOf(file);
  const base = file === undefined ? cwd : dirname(file);
  const data = source.dataDir === undefined ? resolve(base, value.data) : resolve(cwd, source.dataDir);
  return {
    ...(file === undefined ? {} : { file }),
    cloud: value.cloud ?? readDevOptions(data).cloud ?? 'local',
    data,
    inventory: placeOf(value.inventory, base, data),
    identity: { name: value.identity.name ?? userName(env), role: value.identity.role },
    auditEverySeconds: value.audit.every === 'never' ? null : (parseDuration(value.audit.every) ?? null),
    placement: value.placement,
    encryption: value.encryption,
    fencing: fencingOf(value.fencing, base),
    gateway: gatewayOf(value.gateway, base),
    notifications: receiversOf(value.notifications),
    recovery: recoveryOf(value.recovery),
    runbooks: value.runbooks.map((folder) => resolve(base, folder)),
  };
}

async function readFileOf(file: string): Promise<z.output<typeof configSchema>> {
  const yaml = readYaml(onlyComments(await readFile(file, 'utf8')), file, configSchema);
  const { value } = yaml;
  if (value === undefined) return throwIssues('InvalidConfig', yaml.issues);
  const issue: typeof yaml.issue = (...place) => yaml.issue(...place);
  const wrong = [
    ...placeIssues(value.inventory, issue),
    ...encryptionIssues(value.encryption, issue),
    ...fencingIssues(value.fencing, issue),
    ...gatewayIssues(value.gateway, issue),
    ...notificationIssues(value.notifications, issue),
    ...recoveryIssues(value.recovery, issue),
  ];
  if (wrong.length > 0) return throwIssues('InvalidConfig', wrong);
  return value;
}

/** Makes issues with their place in the file, for what is only found out where the configuration is used. */
export async function issueIn(file: string): Promise<YamlFile<unknown>['issue']> {
  const yaml = readYaml(onlyComments(await readFile(file, 'utf8')), file, configSchema);
  return (...place) => yaml.issue(...place);
}

/** For editors: what completes and explains drover.yaml. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' });
}

function findFile(named: string | undefined, cwd: string, env: ConfigSource['env'] = {}): string | undefined {
  const [given, from] = named === undefined ? [env['DROVER_CONFIG'], 'DROVER_CONFIG'] : [named, '--config'];
  if (given === undefined || given === '') {
    const usual = join(cwd, 'drover.yaml');
    return existsSync(usual) ? usual : undefined;
  }
  const file = resolve(cwd, given);
  if (existsSync(file)) return file;
  throw new DroverError('NotFound', `there is no configuration file "${file}"`, {
    hint: `it is named by ${from}; correct that, or leave it out to take the defaults`,
  });
}

/** A file of nothing but comments is a fine configuration: all defaults. */
function onlyComments(source: string): string {
  return source.split('\n').every((line) => /^\s*(#.*)?$/.test(line)) ? '{}' : source;
}

function userName(env: ConfigSource['env'] = {}): string {
  const behindSudo = env['SUDO_USER'];
  if (behindSudo !== undefined && behindSudo !== '') return behindSudo;
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
