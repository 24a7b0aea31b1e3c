/** Every operation, through every trouble at every step: what must hold holds, and the record tells what happened. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DroverError } from '../../../model/errors.js';
import { operations } from '../../../workflows/catalogue.js';
import { cases, type Case } from './cases.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import type { Knobs, Trouble } from '../../../virtual/trouble.js';
import { broken, hostNames, mistold } from './invariants.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: hostNames });
});
afterEach(() => cloud.close());

/** These close an operation: one that fails for ever leaves it open, and the next one reconciles. */
const closing = ['beginOperation', 'startUnwind', 'commit', 'finishOperation', 'reconciled', 'look'];

async function attempt(key: string, one: Case, knobs: Knobs = {}) {
  const input = await one.setUp(cloud);
  const instance = String(input['instance']);
  const { run, id, ending } = cloud.operation(key, input, knobs);
  const ended = await ending;
  return { run, id, ended, instance };
}

/** What holds at once, or, where the operation could not be closed, after the repair that the janitor starts. */
async function settles(key: string, one: Case, trouble: Trouble): Promise<string[]> {
  const { run, id, ended, instance } = await attempt(key, one, { troubles: [trouble] });
  if (typeof trouble.at === 'number' && run.calls.length < trouble.at) return [];
  const hit = typeof trouble.at === 'number' ? (run.calls[trouble.at - 1] ?? '') : trouble.at;
  const wrong: string[] = [];
  const unclosed =
    trouble.terminate === true ||
    (trouble.fail && (closing.includes(hit) || (one.reconciles && hit === 'getHost')));
  if (!unclosed) wrong.push(...(await broken(cloud, instance, one)), ...(await mistold(cloud, id, ended)));
  const begun = await cloud.inventory.kysely
    .selectFrom('instances')
    .select('id')
    .where('id', '=', instance)
    .execute();
  if (begun.length > 0) {
    const { operation, needsRepair } = await cloud.instance(instance);
    if (operation !== null || needsRepair !== null) {
      const repaired = await cloud.operation('instance.repair', { instance }).ending;
      if (repaired.end !== 'done') wrong.push(`repair: ${JSON.stringify(repaired)}`);
    }
    wrong.push(...(await broken(cloud, instance, one)));
    const it = await cloud.instance(instance);
    if (it.needsRepair !== null) wrong.push(`still to repair: ${it.needsRepair}`);
    if (![one.state, one.before, 'error'].includes(it.state)) wrong.push(`it ended ${it.state}`);
  }
  return wrong.map((what) => `call ${trouble.at} (${hit}), ${ended.end}: ${what}`);
}

/** A reset makes a new run of the same workflow with the same request; the run before it is stopped. */
async function again(key: string, one: Case, trouble: Trouble): Promise<string[]> {
  const input = await one.setUp(cloud);
  const instance = String(input['instance']);
  const handle = cloud.operation(key, input, { troubles: [trouble] });
  await handle.ending;
  const { calls } = handle;
  const { ending, run, id } = handle.reset();
  const ended = await ending;
  const wrong = [...(await broken(cloud, instance, one)), ...(await mistold(cloud, id, ended))];
  const { state, host, needsRepair } = await cloud.instance(instance);
  if (needsRepair !== null) wrong.push(`to repair: ${needsRepair}`);
  if (ended.end === 'done' && (state !== one.state || host !== one.host))
    wrong.push(`it is ${state} on ${host}`);
  const told = `${trouble.when} call ${trouble.at} (${calls[Number(trouble.at) - 1]}), then ${run.calls.join()}`;
  return wrong.map((what) => `${told}: ${what}`);
}

async function fresh<T>(work: () => Promise<T>): Promise<T> {
  await cloud.close();
  cloud = await VirtualCloud.open({ hosts: hostNames });
  return work();
}

async function length(key: string, one: Case): Promise<number> {
  return (await attempt(key, one)).run.calls.length;
}

const refused = () => new DroverError('HypervisorError', 'it said no');
const lost = () => new DroverError('HypervisorUnreachable', 'the line is dead');
const troubles: Record<string, (at: number) => Trouble> = {
  'fails before it is done': (at) => ({ at, fail: { error: refused() } }),
  'fails once it is admitted': (at) => ({ at, when: 'within', fail: { error: refused() } }),
  'fails although it is done': (at) => ({ at, when: 'after', fail: { error: refused() } }),
  'is out of reach for ever': (at) => ({ at, fail: { error: lost() } }),
  'is cancelled before': (at) => ({ at, cancel: true }),
  'is cancelled meanwhile': (at) => ({ at, when: 'within', cancel: true }),
  'is cancelled after': (at) => ({ at, when: 'after', cancel: true }),
  'is terminated before': (at) => ({ at, terminate: true }),
  'is terminated once it is admitted': (at) => ({ at, when: 'within', terminate: true }),
  'is terminated after': (at) => ({ at, when: 'after', terminate: true }),
};

const instanceOperations = [...operations.values()].filter((operation) => operation.target === 'instance');

test('every operation on an instance has a case', () => {
  expect(Object.keys(cases).toSorted()).toEqual(
    instanceOperations.map((operation) => `instance.${operation.name}`).toSorted(),
  );
});

describe.each(
  Object.entries(cases).flatMap(([key, all]) => all.map((one) => ({ key, one, title: one.title }))),
)('$key, $title', ({ key, one }) => {
  test('goes well', async () => {
    const { ended, id, instance } = await attempt(key, one);
    expect(ended).toMatchObject({ end: 'done' });
    expect(await cloud.instance(instance)).toMatchObject({
      state: one.state,
      host: one.host,
      needsRepair: null,
    });
    expect(await broken(cloud, instance, one)).toEqual([]);
    expect(await mistold(cloud, id, ended)).toEqual([]);
  });

  test('goes well when each activity runs twice', async () => {
    const { ended, id, instance } = await attempt(key, one, { twice: true });
    expect(ended).toMatchObject({ end: 'done' });
    expect(await cloud.instance(instance)).toMatchObject({ state: one.state, needsRepair: null });
    expect(await broken(cloud, instance, one)).toEqual([]);
    expect(await mistold(cloud, id, ended)).toEqual([]);
  });

  test('a fault that passes is not noticed, at any step', async () => {
    const steps = await length(key, one);
    for (let at = 1; at <= steps; at += 1) {
      const error = new DroverError('HypervisorUnreachable', 'for a moment');
      const knobs: Knobs = {
        troubles: [{ at, when: at % 2 ? 'before' : 'after', fail: { error, once: true } }],
      };
      const { ended, instance } = await fresh(() => attempt(key, one, knobs));
      expect(ended, `call ${at}`).toMatchObject({ end: 'done' });
      expect(await broken(cloud, instance, one), `call ${at}`).toEqual([]);
    }
  });

  test.each(['before', 'within', 'after'] as const)(
    'reset to its beginning %s any step: it comes to one end, once',
    async (when) => {
      const steps = await length(key, one);
      const wrong: string[] = [];
      for (let at = 1; at <= steps; at += 1) {
        wrong.push(...(await fresh(() => again(key, one, { at, when, terminate: true }))));
      }
      expect(wrong).toEqual([]);
    },
  );

  test.each(Object.keys(troubles))('any step %s: nothing is lost', async (what) => {
    const steps = await length(key, one);
    const wrong: string[] = [];
    // Unwinding adds calls: those are met by the cases of unwind.test.ts.
    for (let at = 1; at <= steps; at += 1) {
      const trouble = troubles[what]?.(at);
      if (trouble) wrong.push(...(await fresh(() => settles(key, one, trouble))));
    }
    expect(wrong).toEqual([]);
  });
});
