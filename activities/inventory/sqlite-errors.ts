import { unavailable } from './unavailable.js';

const locked = 'look who has the file open (`fuser -v FILE`), and try again';
const rights = 'give this user write permission on the file and on its folder';

/** What SQLite's primary result codes mean for the operator: name, why, and what to do. */
const meanings: Readonly<Record<number, readonly [name: string, why: string, todo: string]>> = {
  3: ['SQLITE_PERM', 'it cannot be written', rights],
  5: ['SQLITE_BUSY', 'another process keeps it locked', locked],
  6: ['SQLITE_LOCKED', 'another process keeps it locked', locked],
  8: ['SQLITE_READONLY', 'it cannot be written', rights],
  10: [
    'SQLITE_IOERR',
    'the disk reports an error',
    'check the disk (`dmesg`), and restore the file from a backup if it is damaged',
  ],
  11: [
    'SQLITE_CORRUPT',
    'the file is damaged',
    'stop all drover processes and restore the file from a backup',
  ],
  13: ['SQLITE_FULL', 'the disk is full', 'free space on that disk, and try again'],
  14: [
    'SQLITE_CANTOPEN',
    'it cannot be opened',
    'check that the folder exists and that this user may read and write it',
  ],
  26: [
    'SQLITE_NOTADB',
    'the file is not a drover inventory',
    'check the path in drover.yaml; if it is right, restore the file from a backup',
  ],
};

/**
 * SQLite's primary result code, undefined for what is no error of SQLite. Taken from the number, whose low byte
 * it is: libsql doesn't know the names of all extended codes (1544 is that of a folder that can't be written).
 */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('rawCode' in error && typeof error.rawCode === 'number') return error.rawCode & 0xff;
  // A failure to open comes without a number.
  return error.message.startsWith('ConnectionFailed') ? 14 : undefined;
}

export const isBusy = (error: unknown): boolean => [5, 6].includes(primaryCode(error) ?? 0);

/** An error of the database itself as InventoryUnavailable; any other (a refusal, a bug, a broken constraint) as it is. */
export function translate(path: string, error: unknown): unknown {
  const meaning = meanings[primaryCode(error) ?? 0];
  if (meaning === undefined) return error;
  const [name, why, todo] = meaning;
  return unavailable(path, `${why} (${name})`, todo.replace('FILE', path), error);
}
