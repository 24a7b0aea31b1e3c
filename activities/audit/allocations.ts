/** Findings on what instances take of hosts, and on the rules of server groups. */
import type { Finding } from '../../model/audit.js';
import type { Instance } from '../../model/instance.js';
import type { Found } from './guests.js';
import { groupBy, type Allocation, type Usage, type World } from './world.js';

export function* allocationFindings(world: World): Generator<Found> {
  const held = groupBy(world.allocations, ({ instance }) => instance);
  for (const [id, rows] of held) {
    if (!world.skipped.has(id) && !world.byId.has(id)) yield* rows.map((row) => leaked(row, null));
  }
  for (const instance of world.instances) {
    if (!world.skipped.has(instance.id)) yield* ofInstance(instance, held.get(instance.id) ?? []);
  }
}

/** The count beside the allocations is what placement reads. */
export function* usageFindings(world: World): Generator<Found> {
  const rows = groupBy(world.allocations, ({ host }) => host);
  for (const [host, counted] of world.usage) {
    const sum = { vcpus: 0, memoryMiB: 0, slots: 0 };
    for (const { vcpus, memoryMiB, slots } of rows.get(host) ?? []) {
      sum.vcpus += vcpus;
      sum.memoryMiB += memoryMiB;
      sum.slots += slots;
    }
    const same =
      sum.vcpus === counted.vcpus && sum.memoryMiB === counted.memoryMiB && sum.slots === counted.slots;
    if (same) continue;
    const text = ({ vcpus, memoryMiB, slots }: Usage) => `${vcpus} vCPUs, ${memoryMiB} MiB, ${slots} slots`;
    const finding: Finding = {
      kind: 'wrong-allocation',
      instance: null,
      name: null,
      host,
      path: null,
      seen: `${host} counts ${text(counted)} as in use; its allocations are ${text(sum)}`,
      why: 'placement gives the host more than it has, or less than it could take',
      todo: 'drover audit inventory --repair',
      repair: 'count anew',
    };
    yield { finding, repair: { by: 'count', host } };
  }
}

/** One permanent allocation, on the host of the record and of its size; what a resize holds is held until it is confirmed. */
function* ofInstance(instance: Instance, rows: readonly Allocation[]): Generator<Found> {
  const { host, resized } = instance;
  const settled = rows.filter((row) => !row.awaited);
  const home = settled.find((row) => row.host === host && row.operation === null);
  const other = settled.filter((row) => row !== home && !(resized !== null && row.host === resized.host));
  for (const row of other) yield leaked(row, instance);
  if (host === null) return;
  const fits =
    home !== undefined &&
    home.vcpus === instance.vcpus &&
    home.memoryMiB === instance.memoryMiB &&
    home.slots === 0;
  // What a resize holds may be larger than the instance.
  if (!fits && !(resized !== null && home !== undefined)) yield wrong(instance, host, home);
}

function leaked(row: Allocation, instance: Instance | null): Found {
  const { id, vcpus, memoryMiB, slots, operation } = row;
  const name = instance?.name ?? null;
  const what = `${vcpus} vCPUs, ${memoryMiB} MiB, ${slots} migration slots`;
  const of = operation === null ? 'of no operation' : `of operation ${operation}, which has ended`;
  const finding: Finding = {
    kind: 'leaked-allocation',
    instance: row.instance,
    name,
    host: row.host,
    path: null,
    seen: `${row.host} holds ${what} for ${name ?? `instance ${row.instance}, which is not there`} (${id}, ${of})`,
    why: 'no other instance and no migration can have that room',
    todo: 'drover audit inventory --repair',
    repair: 'release it',
  };
  return { finding, repair: { by: 'release', allocation: id, what: finding.seen } };
}

function wrong(instance: Instance, host: string, home: Allocation | undefined): Found {
  const { id, name, vcpus, memoryMiB } = instance;
  const has = home === undefined ? 'nothing' : `${home.vcpus} vCPUs and ${home.memoryMiB} MiB`;
  const finding: Finding = {
    kind: 'wrong-allocation',
    instance: id,
    name,
    host,
    path: null,
    seen: `${name} has ${vcpus} vCPUs and ${memoryMiB} MiB; ${host} counts ${has} for it`,
    why: 'the host is given more than it has, or less than it could take',
    todo: `drover instance repair ${name}`,
    repair: 'count what it has',
  };
  const operation = 'instance.repair';
  return { finding, repair: { by: 'operation', operation, instance: id, name, input: { instance: id } } };
}

/** Hard rules alone: a soft one is a wish. */
export function* groupFindings(world: World): Generator<Found> {
  const members = groupBy(
    world.instances.filter((one) => one.serverGroup !== null && one.host !== null),
    (one) => one.serverGroup ?? '',
  );
  for (const [group, all] of members) {
    const policy = world.groups.get(group);
    // While one of them moves it may be on its way to where it should be.
    if (all.some((one) => world.skipped.has(one.id))) continue;
    const byHost = [...groupBy(all, (one) => one.host ?? '')];
    const crowded = byHost.filter(([, there]) => there.length > 1);
    if (policy === 'anti-affinity')
      for (const [host, there] of crowded) yield violated(group, policy, host, there);
    if (policy === 'affinity' && byHost.length > 1) yield violated(group, policy, null, all);
  }
}

function violated(group: string, policy: string, host: string | null, all: readonly Instance[]): Found {
  const where = all.map((one) => `${one.name} on ${one.host}`).join(', ');
  const last = all.at(-1);
  const finding: Finding = {
    kind: 'group-violated',
    instance: last?.id ?? null,
    name: last?.name ?? null,
    host,
    path: null,
    seen: `group ${group} (${policy}): ${where}`,
    why:
      policy === 'affinity'
        ? 'they were to be on one host, and are not'
        : 'they were to be on different hosts: the loss of this one takes them all',
    todo: `drover instance live-migrate ${last?.name ?? ''}`,
    repair: null,
  };
  return { finding, repair: null };
}
