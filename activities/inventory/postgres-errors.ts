import { unavailable } from './unavailable.js';

type Meaning = readonly [why: string, todo: string];

const look = 'look at the server and its log; drover goes on by itself once it answers';
const startIt = 'start the server, or correct the address in drover.yaml; drover goes on once it answers';
const noPassword: Meaning = [
  'it wants a password, and none is set',
  'set PGPASSWORD, or write the password to ~/.pgpass (PGPASSFILE) with mode 0600, for this user and for the workers',
];
const certificate: Meaning = [
  'its certificate is not trusted',
  'name the authority that signed it with sslrootcert=FILE in the URL, and the host as the certificate does',
];

/** By SQLSTATE, else by the code of Node. USER, DATABASE are put in. */
const meanings: Readonly<Record<string, Meaning>> = {
  '25006': [
    'it takes no writes: a standby, or a database that was made read-only',
    'name the primary in drover.yaml',
  ],
  '25P03': ['it ended a transaction that was not heard of', look],
  '28000': ['it does not let USER in', 'allow USER in its pg_hba.conf, and make the role: createuser USER'],
  '28P01': [
    'the password of USER is wrong, or there is no such role',
    'correct PGPASSWORD or ~/.pgpass; make a role with: createuser --pwprompt USER',
  ],
  '3D000': ['there is no database DATABASE', 'make it: createdb --owner=USER DATABASE'],
  '3F000': [
    'there is no schema to make tables in',
    'make one: create schema drover authorization USER; alter role USER set search_path = drover',
  ],
  '42501': [
    'USER has no right to do that',
    'let USER own the database (alter database DATABASE owner to USER), or grant: grant create, usage on schema public to USER; tables that another role made must become those of USER',
  ],
  '42P01': [
    'its tables are not there',
    'if it is being restored, wait; else restore it from a backup, or name the right database',
  ],
  '40001': ['it gave way to another transaction', look],
  '40P01': ['it gave way to another transaction', look],
  '53100': ['its disk is full', 'free space on the disk of the server'],
  '53200': ['it has no memory left', look],
  '53300': [
    'it takes no more connections',
    'raise its max_connections: each drover process takes up to 8, or put a pooler before it',
  ],
  '55P03': [
    'another process keeps it locked',
    "see who holds it: select pid, query, state from pg_stat_activity where application_name = 'drover'",
  ],
  '57014': ['it did not answer in time', look],
  '57P03': ['it is starting up or shutting down', look],
  '58030': [
    'its disk reports an error',
    'check the disk of the server, and restore a backup if it is damaged',
  ],
  ECONNREFUSED: ['nothing listens there', startIt],
  ENOENT: ['there is no such socket', startIt],
  ENOTFOUND: ['its name is not known', 'correct the host in drover.yaml, or the name service'],
  EAI_AGAIN: ['its name can not be looked up now', 'check the name service of this machine'],
  EHOSTUNREACH: ['its host can not be reached', 'check the host and the network'],
  ENETUNREACH: ['its host can not be reached', 'check the host and the network'],
  ETIMEDOUT: ['its host does not answer', 'check the host, the network and what filters between'],
  CERT_HAS_EXPIRED: ['its certificate has expired', 'renew the certificate of the server'],
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
  ERR_TLS_CERT_ALTNAME_INVALID: certificate,
};

/** What pg says in words only. */
const sentences: readonly (readonly [RegExp, Meaning])[] = [
  [/client password must be a string|password must be/, noPassword],
  [
    /does not support SSL/,
    ['it speaks no TLS', 'set ssl = on there, or sslmode=disable in the URL on a trusted network'],
  ],
  [
    /timeout exceeded when trying to connect|timeout expired/,
    ['its host does not answer, or too much waits for it', look],
  ],
  [/read timeout/i, ['it did not answer in time', look]],
];

const lost: Meaning = ['the connection to it broke', look];
const lostCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', '57P01', '57P02', '57P05', '25P03']);
const lostWords =
  /connection terminated|connection error and is not queryable|client was closed|read timeout/i;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** An answer of the server, after which the connection goes on. */
export const isOfServer = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && error.severity === 'ERROR';

export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (lostCodes.has(code) || code.startsWith('08')) return true;
  return error instanceof Error && lostWords.test(error.message);
}

/** A broken connection is made anew, a server that starts is soon there; whoever gave way to another tries again. */
export const isPassing = (error: unknown): boolean =>
  ['57P03', '53300', '40001', '40P01'].includes(codeOf(error)) || isLost(error);

function meaningOf(error: unknown): Meaning | undefined {
  const known = meanings[codeOf(error)];
  if (known !== undefined || !(error instanceof Error)) return known;
  const said = sentences.find(([words]) => words.test(error.message))?.[1];
  if (said !== undefined) return said;
  if (isLost(error)) return lost;
  // Damage, a lack of resources, trouble of the system: whatever it is, it is no fault of what was asked.
  return /^(53|58|XX)/.test(codeOf(error)) ? [`it reports: ${error.message}`, look] : undefined;
}

export function translate(told: string, url: string, error: unknown): unknown {
  const meaning = meaningOf(error);
  if (meaning === undefined) return error;
  const [why, todo] = meaning;
  const code = codeOf(error);
  const { username, pathname } = new URL(url);
  const named = (text: string) =>
    text
      .replaceAll('USER', decodeURIComponent(username) || 'its user')
      .replaceAll('DATABASE', decodeURIComponent(pathname.slice(1)) || 'its database');
  return unavailable(told, `${named(why)}${code === '' ? '' : ` (${code})`}`, named(todo), error);
}
