/** The shortest case that still breaks the same rule: delta debugging over its actions, then over its world. */
import type { Action, Case } from './case.js';
import { ruleOf } from './judge.js';
import { play, type Played } from './play.js';

export interface Shrunk {
  one: Case;
  wrong: string[];
  plays: number;
}

type Plays = (one: Case) => Promise<Pick<Played, 'wrong'>>;

/** `before` must break a rule. At most so many `plays`. */
export async function shrink(
  before: Case,
  wrong: readonly string[],
  plays: Plays = play,
  most = 400,
): Promise<Shrunk> {
  const rule = ruleOf(wrong[0] ?? '');
  const found: Shrunk = { one: before, wrong: [...wrong], plays: 0 };
  const still = async (one: Case): Promise<boolean> => {
    if (found.plays >= most) return false;
    found.plays += 1;
    const played = await plays(one);
    if (!played.wrong.some((sentence) => ruleOf(sentence) === rule)) return false;
    Object.assign(found, { one, wrong: played.wrong });
    return true;
  };
  // First, since all further plays are shorter then.
  await healSoon(found, still);
  for (let size = Infinity; sizeOf(found.one) < size && found.plays < most;) {
    size = sizeOf(found.one);
    await fewer(found.one.actions, (actions) => still({ ...found.one, actions }));
    await fewer(found.one.instances, (instances) => still(without({ ...found.one, instances })));
    await fewer(found.one.hosts, (hosts) => still(without({ ...found.one, hosts })));
  }
  await plainer(found, still);
  return found;
}

const sizeOf = ({ actions, instances, hosts }: Case): number =>
  actions.length + instances.length + hosts.length;

/** Delta debugging: takes away halves, quarters, and at last one at a time, as long as it goes on failing. */
async function fewer<T>(all: readonly T[], still: (some: T[]) => Promise<boolean>): Promise<void> {
  let kept = [...all];
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length;) {
      const some = kept.toSpliced(from, size);
      if (await still(some)) kept = some;
      else from += size;
    }
  }
}

/** Instances on hosts that are gone, and actions on either, go as well. */
function without(one: Case): Case {
  const hosts = new Set(one.hosts.map(({ name }) => name));
  const instances = one.instances.filter(({ host }) => hosts.has(host));
  const gone = new Set([...namesIn(one)].filter((known) => /^(vm|host)-\d+$/.test(known)));
  for (const left of [...hosts, ...instances.map(({ name }) => name)]) gone.delete(left);
  const racks = new Set(one.hosts.map(({ rack }) => rack));
  const stays = (action: Action) =>
    ![...namesIn(action)].some((name) => gone.has(name)) &&
    !(action.do === 'fault' && action.fault.do === 'rack-loss' && !racks.has(action.fault.rack));
  return { ...one, instances, actions: one.actions.filter(stays) };
}

const namesIn = (value: unknown): Set<string> =>
  new Set([...JSON.stringify(value).matchAll(/"([a-z]+-\d+)"/g)].map(([, name = '']) => name));

/** Smaller guests on shared disks, where that makes no difference. */
async function plainer(found: Shrunk, still: (one: Case) => Promise<boolean>): Promise<void> {
  const plain = { vcpus: 1, 'memory-mib': 1024, local: false, state: 'active' as const };
  for (const key of ['vcpus', 'memory-mib', 'local', 'state'] as const) {
    const instances = found.one.instances.map((instance) => ({ ...instance, [key]: plain[key] }));
    if (JSON.stringify(instances) !== JSON.stringify(found.one.instances))
      await still({ ...found.one, instances });
  }
  await healSoon(found, still);
}

async function healSoon({ one }: Shrunk, still: (one: Case) => Promise<boolean>): Promise<void> {
  const soon = Math.ceil(one.actions.at(-1)?.at ?? 0) + 10;
  if (one.heal > soon) await still({ ...one, heal: soon });
}
