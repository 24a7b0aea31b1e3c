import type { Command } from 'commander';
import { getAudit, listAudits } from '../../activities/audit/store.js';
import { startAudit, waitForAudit, type StartedAudit } from '../../client/audit.js';
import { urlOf } from '../../client/caller.js';
import type { AuditOptions, AuditRecord } from '../../model/audit.js';
import { auditText } from '../audit-text.js';
import { registerTrail } from '../audit-trail-command.js';
import { withContext, type Context } from '../context.js';
import { StillRunning } from '../errors.js';
import { printData, printList, write } from '../output.js';
import { shortId } from '../texts.js';
import { addWaitOptions, confirm, interruptible, waitOptionsOf } from '../waiting.js';

export function register(audit: Command): void {
  registerTrail(audit);
  const collect = (host: string, before: string[] = []): string[] => [...before, host];
  addWaitOptions(
    audit
      .command('inventory')
      .description('Compare the inventory with the hypervisors; exit code 1 when something is wrong.')
      .option('--repair', 'do what can be done safely, by ordinary operations; then look again')
      .option('--host <host>', 'only this host; may be given more than once', collect)
      .option('--adopt', 'take guests in that nobody knows')
      .option('--remove-orphan-disks', 'remove the disks of deleted instances that nothing refers to')
      .option('--yes', 'do not ask'),
  ).action((_options: unknown, command: Command) => inventory(command));
  audit
    .command('list')
    .description('List the last audits, newest first.')
    .option('--limit <number>', 'how many', '20')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async ({ inventory: rows, output }) => {
        const limit = Number(command.opts<{ limit: string }>().limit) || 20;
        const empty = 'nothing was audited yet: drover audit inventory';
        await printList(output, (await listAudits(rows, limit)).map(auditView), columns, empty);
      });
    });
  audit
    .command('show')
    .description('Show what an audit found: the newest, or the one with this id.')
    .argument('[audit]', 'id of the audit, or the beginning of it')
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      await withContext(command, async ({ inventory: rows, output }) => {
        const found = await getAudit(rows, id ?? null);
        if (output.format !== 'table') return printData(output, found);
        return write(auditText(found));
      });
    });
}

const auditView = ({ id, at, endedAt, by, scope, findings, repaired }: AuditRecord) => ({
  id,
  at,
  endedAt,
  by,
  hosts: scope.hosts,
  instances: scope.instances,
  notLookedAt: scope.silent.length + scope.withoutWorker.length,
  findings: findings.length,
  repaired: repaired.filter(({ error }) => error === null).length,
});

type Row = ReturnType<typeof auditView>;
const columns = [
  { title: 'ID', value: (row: Row) => shortId(row.id) },
  { title: 'AT', value: (row: Row) => row.at },
  { title: 'BY', value: (row: Row) => row.by },
  { title: 'HOSTS', value: (row: Row) => row.hosts },
  { title: 'INSTANCES', value: (row: Row) => row.instances },
  { title: 'FINDINGS', value: (row: Row) => (row.endedAt === null ? null : row.findings) },
  { title: 'REPAIRED', value: (row: Row) => row.repaired },
];

interface Flags {
  repair?: true;
  host?: string[];
  adopt?: true;
  removeOrphanDisks?: true;
  yes?: true;
}

async function inventory(command: Command): Promise<void> {
  const {
    repair = false,
    host = null,
    adopt = false,
    removeOrphanDisks = false,
    yes,
  } = command.opts<Flags>();
  const { wait, timeoutSeconds } = waitOptionsOf(command);
  const options: AuditOptions = { repair, adopt, removeOrphanDisks, hosts: host };
  await withContext(command, async (context) => {
    if (removeOrphanDisks) {
      const what = 'The disks of deleted instances that nothing refers to are removed for good.';
      await confirm(what, yes === true);
    }
    const started = await startAudit(context, options);
    if (!wait) return goesOn(context, started);
    const done = await interruptible((signal) => waitForAudit(context, started, { signal, timeoutSeconds }));
    if (done === null) throw new StillRunning('the audit still runs and goes on', 'see `drover audit show`');
    if (done.findings.length > 0) process.exitCode = 1;
    if (context.output.format !== 'table') return printData(context.output, done.findings);
    return write(auditText(done));
  });
}

async function goesOn(context: Context, { id, workflowId, runId }: StartedAudit): Promise<void> {
  const workflowUrl = urlOf(await context.temporal(), workflowId, runId);
  if (context.output.format !== 'table') return printData(context.output, { id, workflowId, workflowUrl });
  return write(
    `audit ${shortId(id)} has begun; see \`drover audit show\`${workflowUrl ? `, ${workflowUrl}` : ''}`,
  );
}
