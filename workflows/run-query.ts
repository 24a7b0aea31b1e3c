/** A step that asks a query: once, or until what it answers is as wanted. */
import { DroverError } from '../model/errors.js';
import { evaluate, evaluateCondition } from '../runbooks/language/expressions.js';
import { whileGoing } from './run-pause.js';
import type { Work } from './run-state.js';
import { seconds } from './run-values.js';

/** What a step may have in hand at once; longer lists are for `for-each`, which takes them in parts. */
const mostInstances = 1000;

/** Waits get longer with the time waited, so that no history is filled with looks: a look comes 2 % late at most. */
const lateness = 0.02;

/** The answer of the last look. */
export async function runQuery(work: Work): Promise<unknown[]> {
  const { step, scope, rt, run, underWay } = work;
  const every = seconds(step.every ?? '10s', scope, `${step.id}: every`) * 1000;
  const began = rt.now();
  const what = step.until === undefined ? step.id : `${step.id}: until ${String(step.until)}`;
  underWay.add(what);
  for (;;) {
    const result = await ask(work);
    if (step.until === undefined || evaluateCondition(step.until, { ...scope, result })) {
      underWay.delete(what);
      return result;
    }
    await rt.sleep(Math.max(every, (rt.now() - began) * lateness), `look again for ${step.id}`);
    await whileGoing(run, rt);
  }
}

async function ask({ step, scope, rt }: Work): Promise<unknown[]> {
  const by = evaluate(step.with ?? {}, scope) as Record<string, never>;
  if (step.uses === 'query.hosts') return rt.activity('listHosts', by);
  if (step.uses !== 'query.instances')
    throw new DroverError('InvalidRunbook', `no query is called ${step.uses}`);
  const found = await rt.activity('listInstances', { ...by, limit: mostInstances + 1 });
  if (found.length <= mostInstances) return found;
  throw new DroverError(
    'InvalidRunbook',
    `${step.id}: query.instances finds more than ${mostInstances} instances, more than a step can hold`,
    {
      hint: 'ask for fewer with `with: { host: …, state: … }`, or take them in parts with for-each: { query: instances }',
    },
  );
}
