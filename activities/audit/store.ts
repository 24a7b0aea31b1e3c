/** Audits as rows: what each host showed while it runs, and what was found, of the last fifty. */
import type {
  AuditOptions,
  AuditRecord,
  AuditScope,
  Finding,
  Repair,
  SeenFiles,
  SeenHost,
} from '../../model/audit.js';
import { DroverError } from '../../model/errors.js';
import { read, transact, type Inventory } from '../inventory/database.js';
import type { AuditsTable } from '../inventory/schema.js';
import { toJson } from '../inventory/rows.js';

/** How many audits are kept. */
const kept = 50;
/** Findings beyond are counted, not kept: with so many something larger is wrong. */
const mostFindings = 5000;

export async function begin(
  inventory: Inventory,
  { audit, by, options }: { audit: string; by: string; options: AuditOptions },
): Promise<void> {
  const scope: AuditScope = { hosts: 0, instances: 0, silent: [], withoutWorker: [], skipped: [] };
  await transact(inventory, async (trx) => {
    await trx.deleteFrom('audit_hosts').where('audit', '=', audit).execute();
    await trx
      .insertInto('audits')
      .values({
        id: audit,
        at: inventory.now(),
        ended_at: null,
        by,
        options: toJson(options),
        scope: toJson(scope),
        findings: '[]',
        repairs: '[]',
        repaired: '[]',
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  });
}

export async function keepSeen(
  inventory: Inventory,
  audit: string,
  hosts: readonly { host: string; seen: SeenHost }[],
): Promise<void> {
  await transact(inventory, async (trx) => {
    for (const { host, seen } of hosts) {
      await trx
        .insertInto('audit_hosts')
        .values({ audit, host, seen: toJson(seen) })
        .onConflict((conflict) => conflict.columns(['audit', 'host']).doUpdateSet({ seen: toJson(seen) }))
        .execute();
    }
  });
}

export async function keepFiles(
  inventory: Inventory,
  audit: string,
  hosts: readonly { host: string; files: SeenFiles }[],
): Promise<void> {
  await transact(inventory, async (trx) => {
    for (const { host, files } of hosts) {
      const at = trx.selectFrom('audit_hosts').where('audit', '=', audit).where('host', '=', host);
      const row = await at.select('seen').executeTakeFirst();
      if (row === undefined) continue;
      const seen = JSON.parse(row.seen) as SeenHost;
      if (seen.state === 'silent') continue;
      await trx
        .updateTable('audit_hosts')
        .set({ seen: toJson({ ...seen, files }) })
        .where('audit', '=', audit)
        .where('host', '=', host)
        .execute();
    }
  });
}

export async function seenBy(inventory: Inventory, audit: string): Promise<Map<string, SeenHost>> {
  const rows = await read(inventory, (db) =>
    db.selectFrom('audit_hosts').select(['host', 'seen']).where('audit', '=', audit).execute(),
  );
  return new Map(rows.map(({ host, seen }) => [host, JSON.parse(seen) as SeenHost]));
}

export async function keepFindings(
  inventory: Inventory,
  audit: string,
  found: { scope: AuditScope; findings: readonly Finding[]; repairs: readonly Repair[] },
): Promise<void> {
  const { scope, findings, repairs } = found;
  const row = {
    scope: toJson({ ...scope, skipped: scope.skipped.slice(0, mostFindings) }),
    findings: toJson(findings.slice(0, mostFindings)),
    repairs: toJson(repairs.slice(0, mostFindings)),
  };
  await transact(inventory, (trx) => trx.updateTable('audits').set(row).where('id', '=', audit).execute());
}

export async function end(
  inventory: Inventory,
  { audit, repaired }: { audit: string; repaired: AuditRecord['repaired'] },
): Promise<void> {
  await transact(inventory, async (trx) => {
    await trx
      .updateTable('audits')
      .set({ ended_at: inventory.now(), repaired: toJson(repaired) })
      .where('id', '=', audit)
      .execute();
    const newest = trx.selectFrom('audits').select('id').orderBy('at', 'desc').orderBy('id').limit(kept);
    await trx.deleteFrom('audits').where('id', 'not in', newest).execute();
    // Also those of audits whose workflow was ended from outside.
    await trx.deleteFrom('audit_hosts').where('audit', '=', audit).execute();
    await trx
      .deleteFrom('audit_hosts')
      .where('audit', 'not in', trx.selectFrom('audits').select('id'))
      .execute();
  });
}

/** Newest first. */
export async function listAudits(inventory: Inventory, limit: number): Promise<AuditRecord[]> {
  const rows = await read(inventory, (db) =>
    db.selectFrom('audits').selectAll().orderBy('at', 'desc').orderBy('id').limit(limit).execute(),
  );
  return rows.map(auditOf);
}

/** By id, or by its beginning; without one the newest. Throws NotFound. */
export async function getAudit(inventory: Inventory, id: string | null): Promise<AuditRecord> {
  const found = (await listAudits(inventory, kept)).find((one) => id === null || one.id.startsWith(id));
  if (found) return found;
  const what = id === null ? 'nothing was audited yet' : `there is no audit "${id}"`;
  throw new DroverError('NotFound', what, { hint: 'audit now: drover audit inventory' });
}

const auditOf = (row: Omit<AuditsTable, 'repairs'>): AuditRecord => ({
  id: row.id,
  at: row.at,
  endedAt: row.ended_at,
  by: row.by,
  options: JSON.parse(row.options) as AuditOptions,
  scope: JSON.parse(row.scope) as AuditScope,
  findings: JSON.parse(row.findings) as Finding[],
  repaired: JSON.parse(row.repaired) as AuditRecord['repaired'],
});
