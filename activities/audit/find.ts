/** Everything that is found wrong, the loudest first. Pure: the same world gives the same list. */
import { findingKinds, type Finding, type FindingKind, type Repair } from '../../model/audit.js';
import { allocationFindings, groupFindings, usageFindings } from './allocations.js';
import { fileFindings } from './files.js';
import { guestFindings } from './guests.js';
import { quarantineFindings } from './quarantine.js';
import { olderFindings } from './older.js';
import { worldOf, type WorldInput } from './world.js';

export function findAll(input: WorldInput): { findings: Finding[]; repairs: Repair[] } {
  const world = worldOf(input);
  const found = [
    ...olderFindings(world),
    ...quarantineFindings(world),
    ...guestFindings(world),
    ...fileFindings(world),
    ...allocationFindings(world),
    ...usageFindings(world),
    ...groupFindings(world),
  ].toSorted((one, other) => rank(one.finding) - rank(other.finding) || compare(one.finding, other.finding));
  return {
    findings: found.map(({ finding }) => finding),
    repairs: merged(found.flatMap(({ repair }) => repair ?? [])),
  };
}

const order = Object.keys(findingKinds) as FindingKind[];
const rank = ({ kind }: Finding): number => order.indexOf(kind);
const textOf = ({ name, host, path, seen }: Finding): string => [name, host, path, seen].join('\n');
const compare = (one: Finding, other: Finding): number => {
  const [a, b] = [textOf(one), textOf(other)];
  return a < b ? -1 : a > b ? 1 : 0;
};

/** One operation for all that is wrong with an instance: each looks at it anyway. */
function merged(repairs: readonly Repair[]): Repair[] {
  const operations = new Map<string, Extract<Repair, { by: 'operation' }>>();
  const others: Repair[] = [];
  for (const repair of repairs) {
    if (repair.by !== 'operation') {
      others.push(repair);
      continue;
    }
    const before = operations.get(repair.instance)?.input ?? {};
    const input = { ...before, ...repair.input };
    for (const key of ['also', 'remove']) {
      const all = [before[key], repair.input[key]].flatMap((list) => (Array.isArray(list) ? list : []));
      if (all.length > 0) input[key] = [...new Set<unknown>(all)];
    }
    operations.set(repair.instance, { ...repair, input });
  }
  const older = others.find(({ by }) => by === 'epochs');
  const rest = others.filter(({ by }) => by !== 'epochs');
  // The epochs first: until then hosts refuse what the other repairs do.
  return [...(older ? [older] : []), ...operations.values(), ...rest];
}
