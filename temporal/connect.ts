/**
 * The connection to Temporal, by Temporal's own conventions: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
 * TEMPORAL_PROFILE and the other TEMPORAL_* variables, then the profile file; without any, the `drover dev` of
 * the data folder.
 */
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { connect as connectTcp } from 'node:net';
import { DroverError } from '../model/errors.js';
import { readDevFile } from './dev-file.js';
import { GRPC, grpcCode } from './grpc.js';
import { isAlive } from './processes.js';

export { workflowUrl } from './workflow-url.js';

export interface ConnectOptions {
  /** Where a `drover dev` may run, for example `.drover`. */
  readonly dataDir?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Default 4500: with what else a command does, it fails within 5 s. */
  readonly timeoutMs?: number;
  /** What encrypts and decrypts all that Temporal keeps. */
  readonly dataConverter?: DataConverter | undefined;
}

/** Where Temporal is and how to reach it; `connectionOptions` fit NativeConnection.connect as well. */
export interface TemporalTarget {
  readonly connectionOptions: Pick<ConnectionOptions, 'address' | 'tls' | 'metadata'> & { apiKey?: string };
  readonly address: string;
  readonly namespace: string;
  /** Known only for a `drover dev`. */
  readonly uiUrl?: string;
  /** `drover dev` when the address is from the data folder, otherwise Temporal's environment or profile. */
  readonly source: 'environment' | 'drover dev';
}

export interface TemporalConnection {
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
  readonly address: string;
  readonly uiUrl?: string;
}

const DEFAULT_ADDRESS = '127.0.0.1:7233';

export function resolveTarget(options: ConnectOptions = {}): TemporalTarget {
  const env = options.env ?? process.env;
  const chosen = Object.entries(env).some(([name, value]) => name.startsWith('TEMPORAL_') && value !== '');
  const dev = options.dataDir === undefined || chosen ? undefined : readDevFile(options.dataDir);
  if (dev?.server !== undefined && isAlive(dev.server)) {
    const { address, namespace, uiUrl } = dev;
    return { connectionOptions: { address }, address, namespace, uiUrl, source: 'drover dev' };
  }
  const { connectionOptions, namespace } = loadProfile(env);
  const address = connectionOptions.address ?? DEFAULT_ADDRESS;
  return {
    connectionOptions: { ...connectionOptions, address },
    address,
    namespace: namespace ?? 'default',
    source: 'environment',
  };
}

/** Connects and checks that the namespace is there; fails within `timeoutMs` with TemporalUnreachable. */
export async function connectClient(options: ConnectOptions = {}): Promise<TemporalConnection> {
  const target = resolveTarget(options);
  const { address, namespace, uiUrl } = target;
  const deadline = Date.now() + (options.timeoutMs ?? 4500);
  const connection = await open(target, deadline, options.env ?? process.env);
  try {
    await checkNamespace(connection, target, deadline);
  } catch (error) {
    await connection.close();
    throw error;
  }
  const { dataConverter } = options;
  const client = new Client({ connection, namespace, ...(dataConverter ? { dataConverter } : {}) });
  return { client, connection, namespace, address, ...(uiUrl === undefined ? {} : { uiUrl }) };
}

function loadProfile(env: NodeJS.ProcessEnv): {
  connectionOptions: TemporalTarget['connectionOptions'];
  namespace?: string | undefined;
} {
  try {
    // An empty variable is as good as none, as in the `temporal` CLI.
    const set = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
    const { connectionOptions, namespace } = loadClientConnectConfig({
      overrideEnvVars: Object.fromEntries(set),
    });
    const { address, tls, metadata, apiKey } = connectionOptions;
    const known = {
      ...(address === undefined ? {} : { address }),
      ...(tls === undefined ? {} : { tls }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
    };
    return { connectionOptions: known, namespace };
  } catch (error) {
    throw new DroverError('InvalidConfig', `the Temporal profile cannot be read: ${firstLine(error)}`, {
      hint: 'correct the profile file (TEMPORAL_CONFIG_FILE, `temporal config list`) or TEMPORAL_PROFILE',
      cause: error,
    });
  }
}

async function open(target: TemporalTarget, deadline: number, env: NodeJS.ProcessEnv): Promise<Connection> {
  try {
    await probe(target.address, deadline, env);
  } catch (error) {
    throw unreachable(target, error);
  }
  const connectTimeout = Math.max(deadline - Date.now(), 1);
  // Not Connection.connect: when it fails, its channel goes on trying, and keeps this process alive.
  const connection = Connection.lazy({ ...target.connectionOptions, connectTimeout });
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close();
    throw unreachable(target, error);
  }
}

/**
 * gRPC tries a refused connection again until its deadline and then cannot say what was wrong. A plain connection
 * first tells at once. Behind a proxy there may be no direct way, so there gRPC is left to it.
 */
async function probe(address: string, deadline: number, env: NodeJS.ProcessEnv): Promise<void> {
  if (['grpc_proxy', 'https_proxy', 'http_proxy'].some((name) => Boolean(env[name]))) return;
  const { host, port } = splitAddress(address);
  await new Promise<void>((resolve, reject) => {
    const socket = connectTcp({ host, port });
    const timer = setTimeout(
      () => socket.destroy(new Error('no answer')),
      Math.max(deadline - Date.now(), 1),
    );
    socket.once('connect', () => socket.end(() => resolve()));
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
  });
}

export function splitAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]*))(?::(?<port>\d+))?$/.exec(address);
  const host = match?.groups?.['six'] ?? match?.groups?.['host'];
  if (host === undefined || host === '') {
    throw new DroverError('InvalidConfig', `the Temporal address "${address}" is not HOST:PORT`);
  }
  return { host, port: Number(match?.groups?.['port'] ?? 7233) };
}

function unreachable({ address, source }: TemporalTarget, error: unknown): DroverError {
  if (error instanceof DroverError) return error;
  const code = grpcCode(error);
  const refused = code === GRPC.PERMISSION_DENIED || code === GRPC.UNAUTHENTICATED;
  const hint = refused
    ? 'check TEMPORAL_API_KEY and the TEMPORAL_TLS_* settings, or those of the profile'
    : source === 'drover dev'
      ? 'see the state and the log of `drover dev`, or start it again'
      : 'start one with `drover dev`, or set TEMPORAL_ADDRESS=HOST:PORT to the one you have';
  return new DroverError(
    'TemporalUnreachable',
    `no Temporal server answers at ${address}: ${causeOf(error)}`,
    {
      details: { address },
      hint,
      cause: error,
    },
  );
}

/** A wrong name would otherwise fail much later, as a worker that never gets work. */
async function checkNamespace(
  connection: Connection,
  target: TemporalTarget,
  deadline: number,
): Promise<void> {
  const { namespace, address } = target;
  try {
    await connection.withDeadline(deadline, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    const code = grpcCode(error);
    // Not everybody may describe a namespace that they may use.
    if (code === GRPC.PERMISSION_DENIED) return;
    // Connecting takes UNIMPLEMENTED for an old server; any web server or proxy there answers so.
    if (code === GRPC.UNIMPLEMENTED)
      throw unreachable(target, new Error('what answers there is not Temporal'));
    if (code !== GRPC.NOT_FOUND) throw unreachable(target, error);
    throw new DroverError(
      'InvalidConfig',
      `the Temporal server at ${address} has no namespace "${namespace}"`,
      {
        hint: `set TEMPORAL_NAMESPACE, or create it: temporal operator namespace create --address ${address} --namespace ${namespace}`,
        cause: error,
      },
    );
  }
}

function causeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is unknown';
  if (error instanceof Error && error.cause instanceof Error)
    return `${error.message} (${firstLine(error.cause)})`;
  return firstLine(error);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? text;
}
