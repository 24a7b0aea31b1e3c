/**
 * Compares the inventory with every hypervisor that answers, and writes down what is wrong. Started by a Temporal
 * Schedule, or by a person, who may have it repaired: each repair is an ordinary operation on its instance, or one
 * transaction that looks anew; then all is looked at once more. Lists stay in the database, so that no history grows
 * with the number of instances.
 */
import type { AuditSummary, ListedFiles } from '../activities/types.js';
import { workPlace } from '../model/addresses.js';
import type { AuditOptions, AuditRecord, Repair, SeenFiles } from '../model/audit.js';
import { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import { pool } from './pool.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

export interface AuditOrder {
  id: string;
  by: string;
  role: 'viewer' | 'operator' | 'admin' | 'automation';
  options: AuditOptions;
}

export type AuditAnswer = Omit<AuditSummary, 'repairs'> & { id: string; repaired: AuditRecord['repaired'] };

/** Hosts of one listing, and listings at a time. */
const hostsAtOnce = 25;
const listings = 4;
/** Hosts whose workers list files at a time: one without a worker costs 20 s. */
const workersAtOnce = 50;
const repairsAtATime = 4;

/** What the schedule starts has no order: an id of its own, and no repair. */
export async function runAudit(given: Partial<AuditOrder> | null, rt: Runtime): Promise<AuditAnswer> {
  const nothing: AuditOptions = { repair: false, adopt: false, removeOrphanDisks: false, hosts: null };
  const order: AuditOrder = {
    id: given?.id ?? rt.id(),
    by: given?.by ?? 'schedule',
    role: given?.role ?? 'automation',
    options: { ...nothing, ...given?.options },
  };
  let summary = await look(order, rt);
  const repaired: AuditRecord['repaired'] = [];
  const wanted = summary.repairs.filter((repair) => isWanted(repair, order.options));
  if (wanted.length > 0) {
    rt.show('repairing', `${wanted.length} repairs`);
    // Operations begin under raised epochs only.
    const first = wanted.filter(({ by }) => by === 'epochs');
    for (const repair of first) repaired.push(await carryOut(repair, order, rt));
    await pool(
      wanted.filter((repair) => !first.includes(repair)),
      repairsAtATime,
      () => !rt.cancelled(),
      async (repair) => {
        repaired.push(await carryOut(repair, order, rt));
      },
    );
    if (!rt.cancelled()) summary = await look(order, rt);
  }
  await rt.shielded(() => rt.activity('endAudit', { audit: order.id, repaired }));
  if (rt.cancelled()) throw new DroverError('Cancelled', 'the audit was cancelled');
  const { repairs: _repairs, ...told } = summary;
  rt.show('done', report(summary, repaired));
  return { ...told, id: order.id, repaired };
}

async function look(order: AuditOrder, rt: Runtime): Promise<AuditSummary> {
  const { id: audit, by, options } = order;
  rt.show('looking', 'Listing the guests of every host.');
  const { since, hosts, directories } = await rt.activity('beginAudit', { audit, by, options });
  const answered: { host: HostRef; disks: string[] }[] = [];
  const batches = chunks(hosts, hostsAtOnce);
  const going = () => !rt.cancelled();
  await pool(batches, listings, going, async (batch) => {
    answered.push(...(await rt.activity('lookAtHosts', { audit, hosts: batch })).answered);
  });
  const withoutWorker = await lookAtFiles({ audit, answered, directories }, rt);
  if (rt.cancelled()) {
    await rt.shielded(() => rt.activity('endAudit', { audit, repaired: [] }));
    throw new DroverError('Cancelled', 'the audit was cancelled');
  }
  rt.show('comparing', `${answered.length} of ${hosts.length} hosts answered.`);
  return rt.activity('compareInventory', { audit, since, withoutWorker });
}

/** Answers the hosts whose files nobody could look at. */
async function lookAtFiles(
  {
    audit,
    answered,
    directories,
  }: { audit: string; answered: { host: HostRef; disks: string[] }[]; directories: string[] },
  rt: Runtime,
): Promise<string[]> {
  rt.show('looking', 'Listing disks and saved memories.');
  const listed: { host: HostRef; files: ListedFiles }[] = [];
  const missing: string[] = [];
  const going = () => !rt.cancelled();
  const ask = async (host: HostRef, input: { directories: string[]; disks: string[]; full: boolean }) =>
    rt.activity('listFiles', input, { onHost: workPlace(host) });
  await pool(answered, workersAtOnce, going, async ({ host, disks }) => {
    try {
      listed.push({ host, files: await ask(host, { directories, disks, full: false }) });
    } catch (cause) {
      if (asDroverError(cause).code !== 'Cancelled') missing.push(host.name);
    }
  });
  // A directory with very many of them is told by one of the hosts that share it.
  const large = new Map<string, { host: HostRef; directory: string }>();
  for (const { host, files } of listed) {
    for (const one of files.directories) {
      const key = `${one.directory}\n${one.digest}`;
      if (one.files === null && !large.has(key)) large.set(key, { host, directory: one.directory });
    }
  }
  await pool([...large.values()], listings, going, async ({ host, directory }) => {
    try {
      const more = await ask(host, { directories: [directory], disks: [], full: true });
      const of = listed.find((one) => one.host.name === host.name);
      of?.files.directories.push(...more.directories);
    } catch {
      // The host has gone meanwhile; the next audit lists it.
    }
  });
  const kept = listed.map(({ host, files }) => ({ host: host.name, files: seenFiles(files) }));
  for (const hosts of chunks(kept, hostsAtOnce)) await rt.activity('keepFiles', { audit, hosts });
  return missing.toSorted();
}

const seenFiles = ({ directories, made, disks, saves }: ListedFiles): SeenFiles => ({
  found: [...directories.flatMap(({ files }) => files ?? []), ...made],
  disks,
  saves,
});

function isWanted(repair: Repair, { repair: asked, adopt, removeOrphanDisks }: AuditOptions): boolean {
  if (repair.by === 'adopt') return adopt;
  if (repair.by === 'remove-disk') return removeOrphanDisks;
  return asked;
}

/** A repair that does not come about is told, and stops no other. */
async function carryOut(
  repair: Repair,
  order: AuditOrder,
  rt: Runtime,
): Promise<{ what: string; error: string | null }> {
  try {
    return { what: await carried(repair, order, rt), error: null };
  } catch (cause) {
    const name = 'name' in repair ? repair.name : '';
    const what = {
      operation: `repair of ${name}`,
      adopt: `adoption of ${name}`,
      release: 'release of an allocation',
      epochs: 'raise of the epochs',
    };
    const said =
      repair.by === 'count'
        ? `count of ${repair.host}`
        : repair.by === 'remove-disk'
          ? `removal of ${repair.path}`
          : what[repair.by];
    return { what: said, error: asDroverError(cause).message };
  }
}

async function carried(repair: Repair, { id: audit, by, role }: AuditOrder, rt: Runtime): Promise<string> {
  switch (repair.by) {
    case 'operation': {
      const { operation, instance: subject, name, input } = repair;
      const request = { id: rt.id(), by, role, run: null };
      await rt.child({ operation, subject, label: name, runbook: null, host: null, request, input });
      return `${name}: ${operation} done`;
    }
    case 'release': {
      const { released } = await rt.activity('releaseLeaked', { audit, allocation: repair.allocation });
      return released ? `released: ${repair.what}` : `not released, it is in use by now: ${repair.what}`;
    }
    case 'epochs': {
      const { raised } = await rt.activity('raiseEpochs', { audit });
      return `raised the epochs of ${raised} instances above what the hosts have seen`;
    }
    case 'count':
      await rt.activity('countUsage', { host: repair.host });
      return `counted anew what is in use on ${repair.host}`;
    case 'adopt': {
      const { adopted } = await rt.activity('adoptGuest', { host: repair.host, instance: repair.instance });
      return `${repair.name} on ${repair.host}: ${adopted ? 'adopted' : 'not there any more'}`;
    }
    case 'remove-disk':
      break;
  }
  const { instance, path } = repair;
  const { owner, host } = await rt.activity('claimOrphan', { audit, instance, path, host: repair.host });
  await rt.activity('removeDisk', { instance, path }, { owner, onHost: workPlace(host) });
  return `${path} on ${host.name}: removed`;
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}

/** Markdown, for the Temporal UI. */
function report(summary: AuditSummary, repaired: AuditRecord['repaired']): string {
  const { hosts, instances, silent, withoutWorker, skipped, kinds, seen } = summary;
  const count = Object.values(kinds).reduce((sum, one) => sum + one, 0);
  return [
    `${hosts} hosts and ${instances} instances compared, ${skipped} left alone.`,
    ...(silent.length > 0 ? [`Not looked at: ${silent.join(', ')}.`] : []),
    ...(withoutWorker.length > 0 ? [`No worker to list files: ${withoutWorker.join(', ')}.`] : []),
    count === 0 ? 'Nothing is wrong.' : `${count} findings:`,
    ...seen.map((text) => `- ${text}`),
    ...repaired.map(
      ({ what, error }) =>
        `- ${error === null ? 'repaired' : 'not repaired'}: ${what}${error === null ? '' : ` (${error})`}`,
    ),
  ].join('\n');
}
