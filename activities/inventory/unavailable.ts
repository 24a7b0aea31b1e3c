import { DroverError } from '../../model/errors.js';

/** What SQLite's result codes mean for the operator: why, and what to do. A code covers its extensions (SQLITE_IOERR_WRITE). */
const meanings: readonly [prefix: string, why: string, todo: string][] = [
  [
    'SQLITE_BUSY',
    'another process keeps it locked',
    'look who has the file open (`fuser -v FILE`), and try again',
  ],
  [
    'SQLITE_LOCKED',
    'another process keeps it locked',
    'look who has the file open (`fuser -v FILE`), and try again',
  ],
  [
    'SQLITE_READONLY',
    'it cannot be written',
    'give this user write permission on the file and on its folder',
  ],
  ['SQLITE_PERM', 'it cannot be written', 'give this user write permission on the file and on its folder'],
  [
    'SQLITE_CANTOPEN',
    'it cannot be opened',
    'check that the folder exists and that this user may read and write it',
  ],
  ['SQLITE_FULL', 'the disk is full', 'free space on that disk, and try again'],
  [
    'SQLITE_IOERR',
    'the disk reports an error',
    'check the disk (`dmesg`), and restore the file from a backup if it is damaged',
  ],
  ['SQLITE_CORRUPT', 'the file is damaged', 'stop all drover processes and restore the file from a backup'],
  [
    'SQLITE_NOTADB',
    'the file is not a drover inventory',
    'check the path in drover.yaml; if it is right, restore the file from a backup',
  ],
];

/** The result code of a SQLite error (`SQLITE_BUSY_SNAPSHOT`), or undefined when it is something else. */
export function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_'))
    return error.code;
  // libsql reports a failure to open without a code, with SQLite's number at the end of the text.
  return error.message.startsWith('ConnectionFailed') ? 'SQLITE_CANTOPEN' : undefined;
}

export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(sqliteCode(error) ?? '');

export function unavailable(path: string, why: string, hint: string, cause?: unknown): DroverError {
  return new DroverError('InventoryUnavailable', `the inventory ${path} does not answer: ${why}`, {
    details: { path },
    hint,
    cause,
  });
}

/** An error of the database itself as InventoryUnavailable; any other (a refusal, a bug, a broken constraint) as it is. */
export function translate(path: string, error: unknown): unknown {
  const code = sqliteCode(error);
  const meaning = meanings.find(([prefix]) => code?.startsWith(prefix));
  if (meaning === undefined) return error;
  return unavailable(path, `${meaning[1]} (${code})`, meaning[2].replace('FILE', path), error);
}
