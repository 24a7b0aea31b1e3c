/** Steps at the same time. All are waited for, also when one fails. */
import { DroverError } from '../model/errors.js';
import type { PlainStep } from '../model/runbook.js';
import type { Run, Work } from './run-state.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

type RunStep = (run: Run, step: PlainStep, rt: Runtime) => Promise<void>;

export async function runParallel(
  { run, step, record, rt, underWay }: Work,
  branches: readonly PlainStep[],
  runStep: RunStep,
): Promise<null> {
  record.total = branches.length;
  const errors = await Promise.all(
    branches.map(async (branch): Promise<DroverError | null> => {
      underWay.add(branch.id);
      try {
        await runStep(run, branch, rt);
        record.done += 1;
        return null;
      } catch (cause) {
        record.failed += 1;
        return asDroverError(cause);
      } finally {
        underWay.delete(branch.id);
      }
    }),
  );
  if (rt.cancelled()) throw new DroverError('Cancelled', `${step.id} was cancelled`);
  const found = errors.flatMap((error, place) => (error ? [{ error, id: branches[place]?.id ?? '' }] : []));
  const [first] = found;
  if (first === undefined) return null;
  const message = found.map(({ error, id }) => `${id}: ${error.message}`).join('; ');
  const isRejected = found.every(({ error }) => error.code === 'Rejected');
  throw new DroverError(isRejected ? 'Rejected' : 'RunFailed', message, {
    details: { step: step.id, failed: found.map(({ error, id }) => ({ step: id, code: error.code })) },
  });
}
