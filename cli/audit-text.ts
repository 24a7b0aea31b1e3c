/** An audit for people: each finding with what was seen, why it matters and what to do. */
import type { AuditRecord, Finding } from '../model/audit.js';
import { paint } from './paint.js';
import { counted, spanText } from './texts.js';

export function auditText(audit: AuditRecord): string {
  const { scope, findings, repaired } = audit;
  return [
    ...findings.flatMap((finding) => [...findingLines(finding), '']),
    ...repaired.map(({ what, error }) =>
      error === null ? `repaired: ${what}` : `${paint.red('not repaired')}: ${what} (${error})`,
    ),
    ...scopeLines(audit),
    findings.length === 0
      ? paint.green('nothing is wrong')
      : `${counted(findings.length, 'finding')}${repairable(findings)}`,
    ...(audit.endedAt === null ? ['it has not ended, or was ended from outside'] : []),
    `${scope.hosts} hosts and ${scope.instances} instances compared in ${spanText(audit.at, audit.endedAt)}`,
  ].join('\n');
}

function findingLines({ kind, name, seen, why, todo, repair }: Finding): string[] {
  return [
    `${paint.bold(kind)}${name === null ? '' : `  ${name}`}`,
    `  seen    ${seen}`,
    `  why     ${why}`,
    `  do      ${todo}`,
    ...(repair === null ? [] : [`  repair  ${repair}`]),
  ];
}

/** What nobody looked at is told: nothing is concluded from silence. */
function scopeLines({ options, scope }: AuditRecord): string[] {
  const { silent, withoutWorker, skipped } = scope;
  // Hosts that were not asked for are no news.
  const missed = silent.filter(({ host }) => options.hosts === null || options.hosts.includes(host));
  return [
    ...missed.map(({ host, reason }) => `not looked at: ${host}: ${reason}`),
    ...withoutWorker.map((host) => `no look at the files of ${host}: no drover worker runs there`),
    ...skipped.map(({ name, why }) => `left alone: ${name}: ${why}`),
  ];
}

function repairable(findings: readonly Finding[]): string {
  const count = findings.filter(({ repair }) => repair !== null).length;
  return count === 0 ? '' : `; ${count} can be repaired: drover audit inventory --repair`;
}
