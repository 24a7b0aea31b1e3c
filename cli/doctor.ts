/** Checks of everything that drover depends on. Nothing is changed. */
import { listHosts } from '../activities/inventory/hosts.js';
import { listInstances } from '../activities/inventory/instances.js';
import { hasWorker } from '../client/progress.js';
import {
  controlQueue,
  datacenterOf,
  hostQueue,
  recoveryQueue,
  vantageOfPlace,
  vantagePlace,
  vantageQueue,
  workPlace,
} from '../model/addresses.js';
import type { Config } from '../config/config.js';
import { DroverError, type ErrorCode } from '../model/errors.js';
import type { Host } from '../model/host.js';
import type { Instance } from '../model/instance.js';
import { toldPlace } from '../model/inventory.js';
import { searchAttributes } from '../model/search-attributes.js';
import type { TemporalConnection } from '../temporal/connect.js';
import type { Context } from './context.js';
import { notificationChecks } from './doctor-notifications.js';
import { encryptionChecks } from './doctor-encryption.js';
import { fencingChecks } from './doctor-fencing.js';
import { databaseChecks } from './doctor-inventory.js';

export interface Check {
  name: string;
  state: 'ok' | 'warning' | 'failed';
  message: string;
  /** What to do about it. */
  fix: string | null;
  /** Why the command fails, when this is what is wrong. */
  code: ErrorCode;
}

const ok = (name: string, message: string): Check => ({
  name,
  state: 'ok',
  message,
  fix: null,
  code: 'Internal',
});
const failed = (name: string, code: ErrorCode, message: string, fix: string): Check => ({
  name,
  state: 'failed',
  message,
  fix,
  code,
});

export async function checkAll(context: Context): Promise<Check[]> {
  const { inventory, cloud } = context;
  const hosts = await listHosts(inventory);
  const temporal = await context.temporal().catch((error: unknown) => asError(error));
  const answered = temporal instanceof DroverError ? undefined : temporal;
  const [ofInventory, ofTemporal, ...others] = await Promise.all([
    inventoryChecks(context, hosts),
    answered ? temporalChecks(context, answered) : [],
    // Simulated hosts are driven without it.
    ...(hosts.length > 0 && hosts.every(isSimulated) ? [] : [virsh()]),
    encryptionChecks(context.config),
    notificationChecks(context.config),
    fencingChecks(context, hosts),
    ...hosts.map((host) => reach(host, context.config.data)),
    ...(answered ? queuesOf(hosts).map((host) => hostWorker(answered, cloud, host)) : []),
    ...(answered ? lookouts(hosts, context.config).map((place) => vantagePoint(answered, cloud, place)) : []),
  ]);
  const away =
    temporal instanceof DroverError
      ? [failed('temporal', temporal.code, temporal.message, temporal.hint)]
      : [];
  return [node(process.versions.node), ...ofInventory, ...away, ...ofTemporal, ...others.flat()];
}

async function inventoryChecks(context: Context, hosts: readonly Host[]): Promise<Check[]> {
  const { config, inventory, cloud } = context;
  const { file = 'defaults (no drover.yaml)', identity } = config;
  const instances = await listInstances(inventory);
  return [
    ok('configuration', `${file}; cloud ${cloud}, you are ${identity.name} (${identity.role})`),
    ok('inventory', `${toldPlace(config.inventory)}: ${hosts.length} hosts, ${instances.length} instances`),
    ...(await databaseChecks(config, inventory)),
    repairs(instances),
  ];
}

const asError = (error: unknown): DroverError =>
  error instanceof DroverError ? error : new DroverError('TemporalUnreachable', String(error));

function node(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 20)) return ok('node', version);
  return failed('node', 'Unsupported', `${version} is too old`, 'install Node.js 20.20 or newer');
}

function repairs(instances: readonly Instance[]): Check {
  const broken = instances.filter((one) => one.needsRepair !== null);
  if (broken.length === 0) return ok('repairs', 'nothing was left behind');
  const told = broken.map(({ name, needsRepair }) => `${name} (${needsRepair})`).join(', ');
  const fix = 'the janitor tries again every 30 s while a worker runs; see `drover instance show`';
  return { name: 'repairs', state: 'warning', message: `need repair: ${told}`, fix, code: 'NeedsRepair' };
}

async function temporalChecks({ cloud }: Context, temporal: TemporalConnection): Promise<Check[]> {
  const { address, namespace, uiUrl } = temporal;
  return [
    ok('temporal', `${address}, namespace ${namespace}${uiUrl === undefined ? '' : `, UI ${uiUrl}`}`),
    await attributes(temporal),
    await cloudWorker(temporal, cloud, 'worker', controlQueue(cloud)),
    await cloudWorker(temporal, cloud, 'recovery worker', recoveryQueue(cloud)),
  ];
}

async function cloudWorker(
  temporal: TemporalConnection,
  cloud: string,
  name: string,
  queue: string,
): Promise<Check> {
  if ((await hasWorker(temporal, cloud, queue)) === true) return ok(name, `takes work from ${queue}`);
  return failed(name, 'TemporalUnreachable', `none takes work from ${queue}`, 'start one: drover worker');
}

async function attributes({ connection, namespace, address }: TemporalConnection): Promise<Check> {
  const name = 'search attributes';
  try {
    const { customAttributes } = await connection.withDeadline(Date.now() + 5000, () =>
      connection.operatorService.listSearchAttributes({ namespace }),
    );
    const missing = Object.entries(searchAttributes).filter(
      ([attribute]) => !(attribute in customAttributes),
    );
    if (missing.length === 0) return ok(name, 'all are registered');
    const flags = missing.map(([attribute, type]) => `--name ${attribute} --type ${type}`).join(' ');
    const command = `temporal operator search-attribute create --address ${address} --namespace ${namespace} ${flags}`;
    const told = `missing: ${missing.map(([attribute]) => attribute).join(', ')}`;
    return failed(
      name,
      'TemporalUnreachable',
      told,
      `start a \`drover worker\`, which registers them, or run: ${command}`,
    );
  } catch (error) {
    const message = `can not be listed here (${error instanceof Error ? error.message : String(error)})`;
    return {
      name,
      state: 'warning',
      message,
      fix: 'ask the administrator of Temporal whether they are registered',
      code: 'PermissionDenied',
    };
  }
}

async function virsh(): Promise<Check> {
  const { execa } = await import('execa');
  const { failed: bad, stdout } = await execa('virsh', ['--version'], {
    reject: false,
    timeout: 5000,
    stdin: 'ignore',
  });
  if (!bad) return ok('virsh', stdout.trim());
  return failed(
    'virsh',
    'HypervisorUnreachable',
    'is not installed',
    'on Debian or Ubuntu: apt-get install libvirt-clients',
  );
}

const isSimulated = (host: Host): boolean => datacenterOf(host.uri) !== null;

/** One host of each queue: a datacenter's hosts have one worker. */
const queuesOf = (hosts: readonly Host[]): Host[] => [
  ...new Map(hosts.map((host) => [hostQueue('', workPlace(host)), host])).values(),
];

async function reach(host: Host, dataDir: string): Promise<Check> {
  const name = `host ${host.name}`;
  const { hypervisor } = await import('../worker/ports.js');
  try {
    const { systemUuid, hypervisor: what } = await hypervisor(dataDir).facts(host);
    if (host.systemUuid === null || host.systemUuid === systemUuid) return ok(name, `answers (${what})`);
    const told = `answers as another machine: system UUID ${systemUuid}, not ${host.systemUuid}`;
    return failed(name, 'HypervisorError', told, `check the address ${host.uri}`);
  } catch (error) {
    const { code, message } =
      error instanceof DroverError ? error : new DroverError('HypervisorError', String(error));
    return failed(
      name,
      code,
      message,
      isSimulated(host)
        ? 'see `drover sim status`'
        : `check that \`virsh --connect ${host.uri} version\` works from this machine`,
    );
  }
}

async function hostWorker(temporal: TemporalConnection, cloud: string, host: Host): Promise<Check> {
  const datacenter = datacenterOf(host.uri);
  const name = `worker of ${datacenter === null ? host.name : `datacenter ${datacenter}`}`;
  const alive = await hasWorker(temporal, cloud, hostQueue(controlQueue(cloud), workPlace(host)));
  if (alive === true) return ok(name, 'takes work');
  const told = 'does not run: nothing can be launched there, or migrate from or to it';
  const fix =
    datacenter === null ? `on ${host.name}: drover worker --host ${host.name}` : 'start one: drover worker';
  return failed(name, 'HostWorkerMissing', told, fix);
}

/** The vantage points that must be there for these hosts; those of a datacenter are its own. */
const lookouts = (hosts: readonly Host[], { recovery }: Config): string[] => [
  ...new Set(hosts.flatMap((host) => recovery.vantages.map((vantage) => vantagePlace(vantage, host)))),
];

async function vantagePoint(temporal: TemporalConnection, cloud: string, place: string): Promise<Check> {
  const name = `vantage point ${place}`;
  if ((await hasWorker(temporal, cloud, vantageQueue(cloud, place))) === true) return ok(name, 'looks');
  const vantage = vantageOfPlace(place);
  const fix =
    place === vantage ? `at ${vantage}: drover worker --vantage ${vantage}` : 'start one: drover worker';
  const message = 'does not run: a host that is silent can not be told from an observer that is cut off';
  // Nothing but recoveries needs it.
  return { name, state: 'warning', message, fix, code: 'VantageMissing' };
}
