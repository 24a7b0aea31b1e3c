/** What a run would do if it began now: conditions, targets, waits and approvals as far as they are known. */
import { listHosts } from '../activities/inventory/hosts.js';
import { listInstances } from '../activities/inventory/instances.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { Approve, FrozenRunbook, PlainStep, Runbook, Step } from '../model/runbook.js';
import { evaluate, evaluateCondition, type Scope } from '../runbooks/language/expressions.js';
import { resolveInputs } from '../runbooks/language/inputs.js';
import { operations } from '../workflows/catalogue.js';
import type { Caller } from './caller.js';
import { dryRun } from './dry-run.js';
import type { PreparedRun } from './runs.js';

export interface PlannedStep {
  id: string;
  name: string;
  /** The operation, query or runbook; null for a step of another kind. */
  uses: string | null;
  kind: 'operation' | 'query' | 'runbook' | 'parallel' | 'wait' | 'approve';
  /** Null where its condition depends on a step before. */
  runs: boolean | null;
  /** What a for-each goes through now, or what a query lists now; null where that depends on an earlier step. */
  items: string[] | null;
  /** What the operation would do with each of those, the first of many; each as if it were alone. */
  dryRuns: { item: string; host: string | null; refusal: ErrorRecord | null }[];
  /** So many at a time, and how many may fail; null without for-each. */
  limits: { parallel: unknown; failures: unknown } | null;
  approve: {
    from: string[];
    count: number;
    within: string;
    otherwise: string;
    message: string | null;
  } | null;
  wait: string | null;
  timeout: string | null;
  until: string | null;
  attempts: number;
  undo: string | null;
  /** The branches of parallel. */
  steps: PlannedStep[];
  /** Run only when it has failed. */
  onFailure: PlannedStep[];
  /** What the runbook that it uses would do; of a for-each for its first items. */
  runbooks: { inputs: Record<string, unknown> | null; plan: RunPlan }[];
}

export interface RunPlan {
  runbook: string;
  concurrency: string | null;
  steps: PlannedStep[];
  onFailure: PlannedStep[];
  finally: PlannedStep[];
}

/** So many runs within one for-each are told; the others are like them. */
const shownRuns = 3;
/** So many items of one step are tried. */
const shownItems = 100;

export async function planRun(caller: Caller, { plan, inputs }: PreparedRun): Promise<RunPlan> {
  return planOf(caller, plan, inputs);
}

async function planOf(
  caller: Caller,
  plan: FrozenRunbook,
  inputs: Record<string, unknown>,
): Promise<RunPlan> {
  const { runbook } = plan;
  const scope: Scope = { declared: runbook.inputs, inputs, steps: {}, run: { id: 'dry-run' } };
  const planner = new Planner(caller, plan, scope);
  return {
    runbook: plan.name,
    concurrency: text(now(keyOf(runbook), scope)) ?? null,
    steps: await planner.all(runbook.steps),
    onFailure: await planner.all(runbook['on-failure']),
    finally: await planner.all(runbook.finally),
  };
}

class Planner {
  constructor(
    private readonly caller: Caller,
    private readonly plan: FrozenRunbook,
    private readonly scope: Scope,
  ) {}

  /** One after the other: what a query lists now is known to the steps after it. */
  async all(steps: readonly Step[] = []): Promise<PlannedStep[]> {
    const planned: PlannedStep[] = [];
    for (const step of steps) planned.push(await this.one(step));
    return planned;
  }

  private async one(step: Step): Promise<PlannedStep> {
    const { scope } = this;
    const listed = await this.targets(step);
    const shown = (template: unknown): string | null => text(now(template, scope)) ?? text(template) ?? null;
    return {
      id: step.id,
      name: shown(step.name) ?? step.uses ?? step.id,
      uses: step.uses ?? null,
      kind: kindOf(step),
      runs: this.condition(step.if),
      items: listed === null ? null : listed.map(labelOf),
      dryRuns: await this.dryRunsOf(step, listed),
      limits: step['for-each'] === undefined ? null : limitsOf(step, scope),
      approve: step.approve === undefined ? null : approveOf(step.approve, shown),
      wait: step.wait === undefined ? null : shown(step.wait),
      timeout: step.timeout === undefined ? null : shown(step.timeout),
      until: step.until === undefined ? null : String(step.until),
      attempts: step.retry?.attempts ?? 1,
      undo: step.undo?.uses ?? null,
      steps: await this.all(step.parallel),
      onFailure: await this.all(step['on-failure']),
      runbooks: await this.runsOf(step, listed),
    };
  }

  private async dryRunsOf(step: Step, listed: unknown[] | null): Promise<PlannedStep['dryRuns']> {
    const { uses } = step;
    if (uses === undefined || !operations.has(uses) || step['for-each'] === undefined) return [];
    const all: PlannedStep['dryRuns'] = [];
    for (const [index, item] of (listed ?? []).slice(0, shownItems).entries()) {
      const input = now(step.with ?? {}, { ...this.scope, item, index });
      // What it is given depends on a step that has not run.
      if (typeof input !== 'object' || input === null) return [];
      all.push({ item: labelOf(item), ...(await this.dryRun(uses, input as Record<string, unknown>)) });
    }
    return all;
  }

  private async dryRun(
    operation: string,
    input: Record<string, unknown>,
  ): Promise<Pick<PlannedStep['dryRuns'][number], 'host' | 'refusal'>> {
    try {
      const { placement, refusals } = await dryRun(this.caller, { operation, input }, { alone: true });
      return { host: placement?.host ?? null, refusal: refusals[0] ?? null };
    } catch (error) {
      if (error instanceof DroverError) return { host: null, refusal: error.toRecord() };
      throw error;
    }
  }

  private condition(condition: boolean | string | undefined): boolean | null {
    if (condition === undefined) return true;
    try {
      return evaluateCondition(condition, this.scope);
    } catch {
      // It asks for a step that has not run.
      return null;
    }
  }

  /** Empty for a step that goes through nothing. */
  private async targets(step: Step): Promise<unknown[] | null> {
    const source = step['for-each'];
    if (source !== undefined && (typeof source === 'string' || Array.isArray(source))) {
      const list = now(source, this.scope);
      return Array.isArray(list) ? list : null;
    }
    const query = source?.query ?? /^query\.(.*)$/.exec(step.uses ?? '')?.[1];
    if (query === undefined) return [];
    const by = now((source ?? step).with ?? {}, this.scope) as Record<string, never> | undefined;
    if (by === undefined) return null;
    const result =
      query === 'hosts'
        ? await listHosts(this.caller.inventory, by)
        : await listInstances(this.caller.inventory, by);
    if (source === undefined) this.know(step, result);
    return result;
  }

  /** A query answers now what it would answer; one that is waited for does not. */
  private know(step: Step, result: unknown[]): void {
    if (step.until !== undefined) return;
    const outcome = { result, done: 1, failed: 0, refused: 0, total: 1, state: 'succeeded' };
    const outputs = now(step.outputs ?? {}, { ...this.scope, result }) as Record<string, unknown> | undefined;
    const steps = { ...this.scope.steps, [step.id]: { ...outcome, ...(outputs ? { outputs } : {}) } };
    this.scope.steps = steps;
  }

  private async runsOf(step: PlainStep, listed: unknown[] | null): Promise<PlannedStep['runbooks']> {
    const name = /^runbook\.(.*)$/.exec(step.uses ?? '')?.[1];
    const plan = name === undefined ? undefined : this.plan.runbooks?.[name];
    if (plan === undefined) return [];
    const loops = step['for-each'] !== undefined && listed !== null;
    const scopes: Scope[] = loops
      ? listed.slice(0, shownRuns).map((item, index) => ({ ...this.scope, item, index }))
      : [this.scope];
    return Promise.all(
      scopes.map(async (scope) => {
        const inputs = inputsOf(plan.runbook, now(step.with ?? {}, scope));
        return { inputs, plan: await planOf(this.caller, plan, inputs ?? {}) };
      }),
    );
  }
}

/** Null where they depend on a step that has not run. */
function inputsOf(runbook: Runbook, given: unknown): Record<string, unknown> | null {
  if (typeof given !== 'object' || given === null) return null;
  return resolveInputs(runbook, given as Record<string, unknown>);
}

function kindOf({ uses, parallel, wait }: Step): PlannedStep['kind'] {
  if (uses?.startsWith('query.')) return 'query';
  if (uses?.startsWith('runbook.')) return 'runbook';
  if (uses !== undefined) return 'operation';
  if (parallel) return 'parallel';
  return wait === undefined ? 'approve' : 'wait';
}

function limitsOf(step: Step, scope: Scope): PlannedStep['limits'] {
  const value = (key: 'max-parallel' | 'max-failures', otherwise: number): unknown =>
    now(step[key] ?? otherwise, scope) ?? step[key];
  return { parallel: value('max-parallel', 1), failures: value('max-failures', 0) };
}

function approveOf(
  { from = [], count, within, otherwise, message }: Approve,
  shown: (template: unknown) => string | null,
): PlannedStep['approve'] {
  return { from, count, within: shown(within) ?? within, otherwise, message: shown(message) };
}

const keyOf = ({ concurrency }: Runbook): string | null =>
  concurrency === undefined ? null : typeof concurrency === 'string' ? concurrency : concurrency.key;

function labelOf(item: unknown): string {
  if (typeof item === 'object' && item !== null && 'name' in item && typeof item.name === 'string')
    return item.name;
  return typeof item === 'string' ? item : JSON.stringify(item);
}

/** Undefined for what depends on a step that has not run. */
function now(template: unknown, scope: Scope): unknown {
  try {
    return evaluate(template, scope);
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
