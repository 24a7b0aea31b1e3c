/** How it ended: the records, what the hosts and instances are, and the judge's verdict. */
import { listAudits } from '../../../activities/audit/store.js';
import { listIncidentEvents, listIncidents } from '../../../activities/inventory/incidents.js';
import { listHosts } from '../../../activities/inventory/hosts.js';
import { listInstances } from '../../../activities/inventory/instances.js';
import { listOperationActions } from '../../../activities/inventory/operation-actions.js';
import { listMigrations, listOperations } from '../../../activities/inventory/records.js';
import { listRunActions } from '../../../activities/inventory/run-actions.js';
import { listRunItems } from '../../../activities/inventory/run-items.js';
import { listRuns } from '../../../activities/inventory/runs.js';
import { hostStatuses } from '../../../activities/simulator/status.js';
import { copiesOf } from '../../../activities/simulator/guests.js';
import type { OperationRecord } from '../../../model/operation.js';
import type { RunRecord, RunStepRecord } from '../../../model/run.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { verdict } from './verdict.js';

/** More than that many are only counted. */
const named = 40;

export async function endOf(cloud: VirtualCloud): Promise<string[]> {
  return [
    'records',
    ...indented([...(await runLines(cloud)), ...(await operationLines(cloud))]),
    'hosts',
    ...indented(await hostLines(cloud)),
    'instances',
    ...indented(await instanceLines(cloud)),
    ...(await incidentLines(cloud)),
    ...(await auditLines(cloud)),
    'verdict',
    ...indented(await verdict(cloud)),
  ].map((line) => cloud.log.told(line));
}

const indented = (lines: string[]): string[] => lines.map((line) => `  ${line}`);
const short = (lines: string[]): string[] =>
  lines.length <= named ? lines : [...lines.slice(0, 3), `… ${lines.length - 3} more`];

async function operationLines({ inventory }: VirtualCloud): Promise<string[]> {
  const all = await listOperations(inventory, { limit: 100_000 });
  const names = new Map((await listInstances(inventory)).map(({ id, name }) => [id, name]));
  const told: { order: string; lines: string[] }[] = [];
  for (const record of all) {
    const { id, instance, host, startedAt, endedAt } = record;
    const about = String(instance === null ? host : (names.get(instance) ?? instance));
    // Of large fleets nobody reads it.
    const more = all.length > named ? [] : await moreLines(inventory, id);
    told.push({
      order: `${startedAt} ${endedAt} ${about}`,
      lines: [...operationLine(record, about), ...more],
    });
  }
  return short(
    told.toSorted((one, other) => (one.order < other.order ? -1 : 1)).flatMap(({ lines }) => lines),
  );
}

/** What was asked of it, and how its migrations went up the ladder. */
async function moreLines(inventory: VirtualCloud['inventory'], operation: string): Promise<string[]> {
  const actions = await listOperationActions(inventory, operation);
  const all = await listMigrations(inventory, { operation });
  const migrations = all.some(({ ladder }) => ladder.length > 0) ? all : [];
  return [
    ...actions.map(({ by, action, details }) => `  ${by}: ${action} ${JSON.stringify(details)}`),
    ...migrations
      .toReversed()
      .flatMap(({ kind, source, target, state, reason, ladder }) => [
        `  ${kind} migration ${source} → ${target}: ${state}${reason === null ? '' : `: ${reason}`}`,
        ...ladder.map(({ rung, says, by }) => `    ${rung}: ${says}${by === null ? '' : `, by ${by}`}`),
      ]),
  ];
}

function operationLine(record: OperationRecord, about: string): string[] {
  const { kind, by, state, error, left, endedAt, result } = record;
  const answer = result === null ? '' : `, ${JSON.stringify(result)}`;
  const why = error === null ? '' : `: ${error.code}: ${error.message}`;
  const open = endedAt === null ? ', and its record is open' : '';
  return [
    `${kind} ${about}, by ${by}: ${state}${open}${answer}${why}`,
    ...left.map((what) => `  left: ${what}`),
  ];
}

async function runLines(cloud: VirtualCloud): Promise<string[]> {
  const lines: string[] = [];
  for (const run of (await listRuns(cloud.inventory, { limit: 1000 })).toReversed()) {
    lines.push(...(await linesOfRun(cloud, run)));
  }
  return lines;
}

async function linesOfRun({ inventory }: VirtualCloud, run: RunRecord): Promise<string[]> {
  const { id, runbook, by, state, error, undone, outputs, parent, retryOf } = run;
  const why = error === null ? '' : `: ${error.code}: ${error.message}`;
  const of = [parent ? `part of ${parent.run}` : '', retryOf ? `${retryOf} again` : '']
    .filter(Boolean)
    .join(', ');
  const rows = await listRunItems(inventory, id);
  const actions = await listRunActions(inventory, id);
  return [
    `run ${id} of ${runbook}, by ${by}${of && ` (${of})`}: ${state}${why}`,
    ...run.steps.flatMap((step) => [
      stepLine(step),
      ...short(
        rows
          .filter((row) => row.step === step.id && row.state !== 'done' && step.total > 0)
          .map(
            ({ label, state: end, error: cause }) =>
              `    ${label} ${end}${cause ? `: ${cause.code}: ${cause.message}` : ''}`,
          ),
      ),
    ]),
    ...undone.map((what) => `  taken back: ${what}`),
    ...(Object.keys(outputs).length > 0 ? [`  outputs: ${JSON.stringify(outputs)}`] : []),
    ...actions
      .filter(({ action }) => action !== 'start')
      .map(
        ({ by: who, action, step, comment }) =>
          `  ${who}: ${[action, step, comment].filter(Boolean).join(', ')}`,
      ),
  ];
}

function stepLine({
  id,
  state,
  done,
  failed,
  refused,
  total,
  error,
  attempt,
  approval,
}: RunStepRecord): string {
  const counts = total === 0 ? '' : `, ${done} done, ${failed} failed, ${refused} refused of ${total}`;
  const tries = attempt !== undefined && attempt > 1 ? `, attempt ${attempt}` : '';
  const asked = approval ? `, approval ${approval.state}` : '';
  const why = error === null ? '' : `: ${error.code}: ${error.message}`;
  return `  ${id} ${state}${counts}${tries}${asked}${why}`;
}

async function hostLines({ inventory, datacenter }: VirtualCloud): Promise<string[]> {
  const real = await datacenter.transact((tx) => hostStatuses(tx, datacenter.name));
  return (await listHosts(inventory)).map((host) => {
    const { name, state, enabled, disabledReason, maintenance, instances, memoryMiBUsed, slotsUsed, fence } =
      host;
    const truly = real.find((one) => one.name === name)?.state ?? 'gone';
    return [
      `${name}: ${state}${truly === state ? '' : ` (truly ${truly})`}`,
      enabled ? 'enabled' : `disabled: ${disabledReason}`,
      ...(maintenance
        ? [`in maintenance until ${maintenance.until} by ${maintenance.by}: ${maintenance.reason}`]
        : []),
      `${instances} instances, ${memoryMiBUsed} MiB`,
      ...(slotsUsed > 0 ? [`${slotsUsed} slots held`] : []),
      ...(fence === null ? [] : [`fence ${fence.state}: ${fence.evidence.says}`]),
    ].join(', ');
  });
}

async function incidentLines({ inventory, clock }: VirtualCloud): Promise<string[]> {
  const lines: string[] = [];
  for (const one of (await listIncidents(inventory)).toReversed()) {
    const { id, host, state, by, endedAt, waitsFor, error, instances } = one;
    const ends = endedAt === null ? ', open' : '';
    lines.push(`incident of ${host}, by ${by}: ${state}${ends}${error === null ? '' : `: ${error.code}`}`);
    for (const { at, phase, says } of await listIncidentEvents(inventory, id)) {
      const time = `+${((Date.parse(at) - clock.start) / 1000).toFixed(1)}s`;
      lines.push(`${time.padStart(9)} ${phase}: ${says}`);
    }
    if (waitsFor !== null) lines.push(`  waits for: ${waitsFor}`);
    const each = instances.map(
      ({ name, was, outcome, host: on, says }) =>
        `  ${name}: was ${was}, ${outcome}${on === null ? '' : ` to ${on}`}${says === '' ? '' : `: ${says}`}`,
    );
    lines.push(...short(each));
  }
  return lines.length === 0 ? [] : ['incidents', ...indented(lines)];
}

async function auditLines({ inventory }: VirtualCloud): Promise<string[]> {
  const all = (await listAudits(inventory, 50)).toReversed();
  const lines = all.flatMap(({ findings, repaired, scope }) => [
    `audit of ${scope.hosts} hosts and ${scope.instances} instances: ${findings.length} findings`,
    ...scope.silent.map(({ host }) => `  not looked at: ${host}`),
    ...scope.withoutWorker.map((host) => `  no worker on ${host}`),
    ...scope.skipped.map(({ name, why }) => `  left alone: ${name}: ${why}`),
    ...repaired.map(({ what, error }) => `  repaired: ${what}${error === null ? '' : `: ${error}`}`),
    ...findings.flatMap(({ kind, seen, todo }) => [`  ${kind}: ${seen}`, `    do: ${todo}`]),
  ]);
  return lines.length === 0 ? [] : ['audits', ...indented(lines)];
}

async function instanceLines({ inventory, datacenter }: VirtualCloud): Promise<string[]> {
  const lines: string[] = [];
  const all = await listInstances(inventory);
  for (const it of all.length > named ? [] : all) {
    const copies = await datacenter.transact((tx) => copiesOf(tx, it.id));
    const truly = copies.map(({ host, power }) => `${power} on ${host}`).join(' and ') || 'nowhere';
    const boots = copies.reduce((sum, copy) => sum + copy.boots, 0);
    const told = it.host === null ? 'nowhere' : `${it.powerState} on ${it.host}`;
    const parts = [
      `${it.name}: ${it.state}, ${told}${truly === told ? '' : ` (truly ${truly})`}`,
      ...(boots > 0 ? [`booted ${boots} times`] : []),
      ...(it.task === null ? [] : [`busy: ${it.task}`]),
      ...(it.locked ? [`locked by ${it.lockedBy}: ${it.lockReason}`] : []),
      ...(it.needsRepair === null ? [] : [`needs repair: ${it.needsRepair}`]),
      ...(it.fault === null ? [] : [`fault: ${it.fault}`]),
      ...(it.cause === null ? [] : [`cause: ${it.cause}`]),
    ];
    lines.push(parts.join(', '));
  }
  if (all.length <= named) return lines;
  const kinds = new Map<string, number>();
  for (const { state, host } of all) {
    const kind = `${state} on ${host}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, count]) => `${count} ${kind}`).toSorted();
}
