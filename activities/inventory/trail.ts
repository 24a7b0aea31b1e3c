/**
 * The audit trail: one line for all that changed anything or was refused. Each line's hash covers its fields and the
 * hash of the line before, so that what is edited, removed or moved is found by whoever walks it.
 */
import { createHash } from 'node:crypto';
import { read, transact, type Inventory } from './database.js';
import type { AuditTrailTable } from './schema-access.js';

export type TrailLine = AuditTrailTable;
type NewTrailLine = Pick<TrailLine, 'by' | 'role' | 'via' | 'action' | 'subject' | 'outcome'> & {
  details: Record<string, unknown>;
};

/** Whoever writes has the write lock from the beginning, so that no two lines follow the same one. */
export async function appendTrail(
  inventory: Inventory,
  { details, ...line }: NewTrailLine,
): Promise<TrailLine> {
  return transact(inventory, async (trx) => {
    const last = await trx
      .selectFrom('audit_trail')
      .select(['seq', 'hash'])
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    const next = {
      ...line,
      seq: (last?.seq ?? 0) + 1,
      at: inventory.now(),
      details: JSON.stringify(details),
      previous: last?.hash ?? genesis,
    };
    const made = { ...next, hash: hashOf(next) };
    await trx.insertInto('audit_trail').values(made).execute();
    return made;
  });
}

interface TrailFilter {
  /** RFC 3339 in UTC. */
  since?: string | undefined;
  by?: string | undefined;
  subject?: string | undefined;
  /** Default 100. */
  limit?: number | undefined;
}

/** The newest first. */
export async function listTrail(
  inventory: Inventory,
  { since, by, subject, limit = 100 }: TrailFilter = {},
): Promise<TrailLine[]> {
  return read(inventory, (db) => {
    let query = db.selectFrom('audit_trail').selectAll().orderBy('seq', 'desc').limit(limit);
    if (since !== undefined) query = query.where('at', '>=', since);
    if (by !== undefined) query = query.where('by', '=', by);
    if (subject !== undefined) query = query.where('subject', '=', subject);
    return query.execute();
  });
}

interface TrailVerdict {
  lines: number;
  /** Of the newest line: whoever keeps it elsewhere also finds out that lines were removed at the end. */
  head: string | null;
  /** The first line that is not as it was written; `seq` is null where a known head is not in the trail. */
  broken: { seq: number | null; why: string } | null;
}

/** Walks it in pages. `head` is the hash of a line that was the newest once: it must still be there. */
export async function verifyTrail(
  inventory: Inventory,
  { head, page = 1000 }: { head?: string | undefined; page?: number } = {},
): Promise<TrailVerdict> {
  let last: Pick<TrailLine, 'seq' | 'hash'> = { seq: 0, hash: genesis };
  let found = head === undefined;
  for (;;) {
    const after = last.seq;
    const lines = await read(inventory, (db) =>
      db.selectFrom('audit_trail').selectAll().where('seq', '>', after).orderBy('seq').limit(page).execute(),
    );
    for (const line of lines) {
      const why = wrongOf(line, last);
      if (why !== null) return { lines: last.seq, head: headOf(last), broken: { seq: line.seq, why } };
      found ||= line.hash === head;
      last = line;
    }
    if (lines.length < page) break;
  }
  const why = `no line has the hash ${head}: lines were removed at the end, or the whole trail was replaced`;
  return { lines: last.seq, head: headOf(last), broken: found ? null : { seq: null, why } };
}

function wrongOf(line: TrailLine, last: Pick<TrailLine, 'seq' | 'hash'>): string | null {
  if (line.seq !== last.seq + 1) return `it follows line ${last.seq}: what was between them is missing`;
  if (line.previous !== last.hash) return 'it does not follow the line before: one was replaced or moved';
  return line.hash === hashOf(line) ? null : 'its fields are not those that were written';
}

const headOf = ({ seq, hash }: Pick<TrailLine, 'seq' | 'hash'>): string | null => (seq === 0 ? null : hash);

/** A list has an order and no two ways to write it, which an object has not. */
function hashOf(line: Omit<TrailLine, 'hash'>): string {
  const { seq, at, by, role, via, action, subject, outcome, details, previous } = line;
  return sha256(JSON.stringify([seq, at, by, role, via, action, subject, outcome, details, previous]));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const genesis = sha256('drover audit trail');
