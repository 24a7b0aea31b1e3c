import type { AuditScope, FindingKind } from '../../model/audit.js';
import type { Inventory } from '../inventory/database.js';
import { findAll } from './find.js';
import { recorded } from './recorded.js';
import { keepFindings, seenBy } from './store.js';
import type { AuditSummary } from './types.js';

/** Repairs that one audit does; the next does the rest. */
const mostRepairs = 500;
const mostSentences = 25;

export async function compareInventory(
  { inventory, say }: { inventory: Inventory; say?: (finding: string) => void },
  input: { audit: string; since: string; withoutWorker: string[] },
): Promise<AuditSummary> {
  const { audit, since, withoutWorker } = input;
  const world = await recorded(inventory, { since, seen: await seenBy(inventory, audit) });
  const { findings, repairs } = findAll(world);
  const names = new Map(world.instances.map(({ id, name }) => [id, name]));
  const scope: AuditScope = {
    hosts: [...world.hosts.values()].filter((seen) => seen.state === 'answered').length,
    instances: world.instances.length,
    silent: [...world.hosts].flatMap(([host, seen]) =>
      seen.state === 'silent' ? [{ host, reason: seen.reason }] : [],
    ),
    withoutWorker,
    skipped: [...world.skipped].flatMap(([instance, why]) => {
      const name = names.get(instance);
      return name === undefined ? [] : [{ instance, name, why }];
    }),
  };
  await keepFindings(inventory, audit, { scope, findings, repairs });
  const kinds: Partial<Record<FindingKind, number>> = {};
  for (const { kind, seen } of findings) {
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    say?.(`${kind}: ${seen}`);
  }
  return {
    hosts: scope.hosts,
    instances: scope.instances,
    silent: scope.silent.map(({ host }) => host).slice(0, 1000),
    withoutWorker: withoutWorker.slice(0, 1000),
    skipped: scope.skipped.length,
    kinds,
    seen: findings.slice(0, mostSentences).map(({ kind, seen }) => `${kind}: ${seen}`),
    repairs: repairs.slice(0, mostRepairs),
  };
}
