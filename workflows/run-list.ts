/** What a step with for-each works on. */
import { DroverError } from '../model/errors.js';
import type { ForEach } from '../model/runbook.js';
import { evaluate } from '../runbooks/language/expressions.js';
import { queries } from './catalogue.js';
import { isFirstLanguage, type Target, type Work } from './run-state.js';
import { keyOf, nameOf } from './run-values.js';
import type { Runtime } from './runtime.js';

/** Whole instances that one answer holds: some 250 kB. More are listed by name alone, so many at a time. */
export const instancesAtOnce = 250;
const namesAtOnce = 5000;

type Query = Extract<ForEach, { query: string }>;

export const queryOf = (source: ForEach | undefined): Query | null =>
  typeof source === 'object' && !Array.isArray(source) ? source : null;

/** What is there now and was not `tried`. Without their values where the list is long. */
export async function listTargets(work: Work, tried: ReadonlySet<string>): Promise<Target[]> {
  const { run, step } = work;
  const listed = isFirstLanguage(run) ? await listAtOnce(work) : unique(await list(work));
  const only = run.order.retry?.only[step.id];
  const wanted = only === undefined ? null : new Set(only);
  return listed
    .filter(({ key }) => !tried.has(key) && (wanted?.has(key) ?? true))
    .map((target, place) => ({ ...target, index: tried.size + place }));
}

type Listed = Omit<Target, 'index'>;

const listedOf = (item: unknown): Listed => ({ key: keyOf(item), label: nameOf(item), item });

async function listAtOnce(work: Work): Promise<Listed[]> {
  const { step, scope, rt } = work;
  const source = queryOf(step['for-each']);
  if (source === null) return listOfExpression(work).map(listedOf);
  const query = queries[source.query as keyof typeof queries];
  const found = (await rt.activity(query.activity, evaluate(source.with ?? {}, scope) as never)) as unknown[];
  return found.map(listedOf);
}

async function list(work: Work): Promise<Listed[]> {
  const { step, scope, rt } = work;
  const source = queryOf(step['for-each']);
  if (source === null) return listOfExpression(work).map(listedOf);
  const by = evaluate(source.with ?? {}, scope) as Record<string, never>;
  if (source.query === 'hosts') return (await rt.activity('listHosts', by)).map(listedOf);
  const first = await rt.activity('listInstances', { ...by, limit: instancesAtOnce });
  if (first.length < instancesAtOnce) return first.toSorted(byName).map(listedOf);
  const names: { id: string; name: string }[] = [];
  for (;;) {
    const after = names.at(-1)?.id;
    const more = { ...by, limit: namesAtOnce, ...(after === undefined ? {} : { after }) };
    const page = await rt.activity('listInstanceNames', more);
    names.push(...page);
    if (page.length < namesAtOnce) break;
  }
  return names.toSorted(byName).map(({ id, name }) => ({ key: id, label: name }));
}

/** By code units: what a locale makes of it differs from machine to machine, and so would a replay. */
const byName = (a: { id: string; name: string }, b: { id: string; name: string }): number =>
  a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1;

function listOfExpression({ step, scope }: Work): unknown[] {
  const listed = evaluate(step['for-each'], scope);
  if (Array.isArray(listed)) return listed;
  throw new DroverError(
    'InvalidRunbook',
    `${step.id}: for-each must give a list, not ${JSON.stringify(listed)}`,
  );
}

/** A list may hold the same twice: the second is known as `web-1#2`. */
function unique(listed: Listed[]): Listed[] {
  const seen = new Map<string, number>();
  return listed.map((target) => {
    const times = (seen.get(target.key) ?? 0) + 1;
    seen.set(target.key, times);
    return times === 1 ? target : { ...target, key: `${target.key}#${times}` };
  });
}

/** Fetches the values that were left out of a long list. */
export async function withItems(targets: readonly Target[], rt: Runtime): Promise<Target[]> {
  const ids = targets.flatMap((target) => ('item' in target ? [] : [target.key]));
  const found = new Map<string, unknown>();
  for (let from = 0; from < ids.length; from += instancesAtOnce) {
    const page = await rt.activity('listInstances', { ids: ids.slice(from, from + instancesAtOnce) });
    for (const instance of page) found.set(instance.id, instance);
  }
  return targets.map((target) =>
    'item' in target
      ? target
      : { ...target, item: found.get(target.key) ?? { id: target.key, name: target.label } },
  );
}
