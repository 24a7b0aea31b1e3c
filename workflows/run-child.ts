/** Runs within a run: another runbook as a step. */
import { DroverError } from '../model/errors.js';
import { resolveInputs } from '../runbooks/language/inputs.js';
import type { RunOrder, Work } from './run-state.js';
import type { ChildRun, Runtime } from './runtime.js';

/** Its outputs are the result of the step. */
export async function runSubRunbook(
  work: Work,
  name: string,
  given: Record<string, unknown>,
  label: string,
): Promise<Record<string, unknown>> {
  const { run, step, rt } = work;
  const plan = run.order.plan.runbooks?.[name];
  if (plan === undefined) {
    const hint = 'start it with `drover runbook run`, which freezes every runbook that it uses';
    throw new DroverError('InvalidRunbook', `the frozen plan has no runbook ${name}`, { hint });
  }
  const id = rt.id();
  const { by, role } = run.order;
  const parent = { run: run.order.id, step: step.id };
  const order: RunOrder = { id, by, role, plan, inputs: resolveInputs(plan.runbook, given), parent };
  const workflowId = rt.runWorkflowId(id);
  const answer = await childRun(work, {
    type: 'run-runbook',
    workflowId,
    label: `${name} ${label === step.id ? '' : label}`.trim(),
    runbook: name,
    by,
    argument: { ...order },
  });
  return (answer as { outputs: Record<string, unknown> }).outputs;
}

/** Known to the run while it runs, so that it hears of a pause. */
export async function childRun({ run, rt }: Pick<Work, 'run' | 'rt'>, request: ChildRun): Promise<unknown> {
  const { workflowId } = request;
  run.children.add(workflowId);
  try {
    return await rt.childRun(request);
  } finally {
    run.children.delete(workflowId);
  }
}

/** Tells all child runs at once. */
export async function tellChildren(
  children: ReadonlySet<string>,
  rt: Runtime,
  word: Parameters<Runtime['tell']>[1],
): Promise<void> {
  await Promise.all([...children].map((workflowId) => rt.tell(workflowId, word)));
}
