/**
 * A runtime in this process over the fake world and the real inventory: no clock, no server. It puts inputs and
 * answers through JSON as the wire does, admits changing steps as the worker does, and can be told to fail,
 * repeat, cancel or simply stop at any call.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { activityTable } from '../../../activities/table.js';
import type { Activities, ActivityName, Call, Envelope, Implement } from '../../../activities/types.js';
import { batchWorkflowId, hostOfPlace, runWorkflowId, subjectWorkflowId } from '../../../model/addresses.js';
import { DroverError } from '../../../model/errors.js';
import { operations } from '../../../workflows/catalogue.js';
import { operate, operateOnHost, type Order } from '../../../workflows/operate.js';
import type { ActivityOptions, ChildRequest, ChildRun, Runtime, Word } from '../../../workflows/runtime.js';
import type { FakeCloud } from './fake-cloud.js';
import { childRuns } from './fake-child-runs.js';

/**
 * What goes wrong, and at which call (from 1): `before` the call, `within` it when it was admitted and did
 * nothing yet, or `after` it when its answer is lost.
 */
export interface Trouble {
  /** The number of the call, or what the log calls it (`removeDisk on h2`): then each time. */
  at: number | string;
  when?: 'before' | 'within' | 'after';
  /** `once` fails one attempt: a retryable error is then tried again, as Temporal does. */
  fail?: { error: DroverError; once?: boolean };
  cancel?: boolean;
  /** The workflow is terminated: it never hears of this call again. */
  stop?: boolean;
  /** Anything else, while the call runs. */
  act?: () => void | Promise<void>;
}

export interface Knobs {
  troubles?: Trouble[];
  /** Each activity runs twice: the answer of the first was lost. */
  twice?: boolean;
}

export type Ending =
  { end: 'done'; result: unknown } | { end: 'failed'; error: DroverError } | { end: 'stopped' };

const onWire = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));
const attempts = 4;
/** The innermost scope that runs: a shield is one that nothing cancels. */
const scopes = new AsyncLocalStorage<AbortController>();

/** What an aborted wait ends with, or never. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** One workflow that runs. */
export class FakeRun implements Runtime {
  readonly log: string[] = [];
  readonly shown: { phase: string; details: string }[] = [];
  readonly runId = randomUUID();
  /** What its parent told it; `heard` is what the interpreter does with it. */
  heard: (word: Word) => void = () => undefined;
  private readonly waiting = new Set<() => void>();
  private readonly canceller = new AbortController();
  private readonly activities: Partial<Implement<Activities>> & Pick<Implement<Activities>, 'admit'>;
  private stopped = false;
  private halt: () => void = () => undefined;
  private readonly halted = new Promise<Ending>((resolve) => {
    this.halt = () => resolve({ end: 'stopped' });
  });

  constructor(
    private readonly cloud: FakeCloud,
    readonly workflowId: string,
    private readonly knobs: Knobs = {},
  ) {
    const newest = (id: string) => Promise.resolve(cloud.workflows.get(id) ?? null);
    this.activities = cloud.control({
      currentRun: () => ({ workflowId: this.workflowId, runId: this.runId }),
      isCurrentRun: async (id, run) => {
        const found = await newest(id);
        return found?.open === true && found.runId === run;
      },
      isOpen: async (id) => (await newest(id))?.open ?? false,
      describe: newest,
    });
  }

  /** Runs `work` as the workflow; a second one with the same id is refused, as by Temporal. */
  async run(type: string, work: () => Promise<unknown>): Promise<Ending> {
    const { workflows } = this.cloud;
    if (workflows.get(this.workflowId)?.open) throw busy(type, this.workflowId);
    const entry = { type, runId: this.runId, open: true };
    workflows.set(this.workflowId, entry);
    this.cloud.started(this);
    const ending = work().then(
      (result): Ending => ({ end: 'done', result: onWire(result) }),
      (error: unknown): Ending => ({
        end: 'failed',
        error: error instanceof DroverError ? error : new DroverError('Internal', `bug: ${String(error)}`),
      }),
    );
    const ended = await Promise.race([ending, this.halted]);
    entry.open = false;
    return ended;
  }

  cancel(): void {
    this.canceller.abort();
    this.poke();
  }

  /** Something happened: conditions are asked again, once all that it set going has come to rest. */
  poke(): void {
    setImmediate(() => {
      for (const ask of this.waiting) ask();
    });
  }

  private get here(): AbortController {
    return scopes.getStore() ?? this.canceller;
  }

  /** Terminates it: nothing of it runs on but the activity that runs. */
  stop(): void {
    this.stopped = true;
    this.halt();
  }

  async activity<K extends ActivityName>(
    name: K,
    input: Parameters<Activities[K]>[0],
    options: ActivityOptions = {},
  ): Promise<never> {
    const { owner = null, seq = 0, undo = null, onHost = null } = options;
    const envelope = onWire<Envelope>({ host: onHost, input: input as Envelope['input'], owner, seq, undo });
    if (activityTable[name].where === 'host' && undo && owner) {
      await this.step(
        'admit',
        { host: null, input: { owner, seq, undo }, owner: null, seq: 0, undo: null },
        null,
      );
    }
    return (await this.step(name, envelope, onHost)) as never;
  }

  private async step(name: ActivityName, envelope: Envelope, onHost: string | null): Promise<unknown> {
    if (this.stopped) return new Promise(() => undefined);
    if (this.cancelled()) throw new DroverError('Cancelled', `${name} was cancelled`);
    const { signal } = this.here;
    this.log.push(onHost ? `${name} on ${onHost}` : name);
    const here = [this.log.length, this.log.at(-1)];
    const troubles = (this.knobs.troubles ?? []).filter(({ at }) => here.includes(at));
    const ended = this.cloud.time.working();
    try {
      return await this.attempts(name, envelope, onHost, signal, troubles);
    } finally {
      ended();
      this.poke();
    }
  }

  private async attempts(
    name: ActivityName,
    envelope: Envelope,
    onHost: string | null,
    signal: AbortSignal,
    troubles: Trouble[],
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.attempt(name, envelope, onHost, signal, attempt, troubles);
        if (this.stopped) return await new Promise(() => undefined);
        return onWire(answer);
      } catch (error) {
        if (this.stopped) return new Promise(() => undefined);
        const typed =
          error instanceof DroverError ? error : new DroverError('Internal', String(error), { cause: error });
        const patient = activityTable[name].class === 'record' ? 100 : attempts;
        if (typed.retryable && attempt < patient && !signal.aborted) continue;
        throw new DroverError(typed.code, typed.message, {
          details: onWire(typed.details),
          hint: typed.hint,
        });
      }
    }
  }

  private async attempt(
    name: ActivityName,
    envelope: Envelope,
    onHost: string | null,
    signal: AbortSignal,
    attempt: number,
    troubles: Trouble[],
  ): Promise<unknown> {
    const happen = async (when: 'before' | 'within' | 'after') => {
      for (const trouble of troubles.filter((each) => (each.when ?? 'before') === when)) {
        if (attempt === 1 && trouble.act) await trouble.act();
        if (trouble.fail && (attempt === 1 || !trouble.fail.once)) throw trouble.fail.error;
        if (trouble.cancel) this.cancel();
        if (trouble.stop) this.stop();
        if (trouble.stop && when !== 'after') throw new Error('stopped');
      }
    };
    await happen('before');
    const admitted = () => happen('within');
    let answer = await this.carry(name, envelope, onHost, signal, admitted);
    if (this.knobs.twice) answer = await this.carry(name, envelope, onHost, signal, admitted);
    await happen('after');
    return answer;
  }

  /** As worker/envelope.ts does it. */
  private async carry(
    name: ActivityName,
    envelope: Envelope,
    onHost: string | null,
    signal: AbortSignal,
    admitted: () => Promise<void>,
  ): Promise<unknown> {
    const row = activityTable[name];
    const call: Call = {
      owner: envelope.owner,
      host: onHost === null ? null : hostOfPlace(onHost),
      signal,
      cancelRequested: () => signal.aborted,
      heartbeat: () => undefined,
    };
    if (row.mutates && row.where === 'control' && envelope.owner) {
      const { owner, seq, undo } = envelope;
      await this.activities.admit({ owner, seq, undo }, call);
    }
    await admitted();
    const place = onHost === null ? this.activities : this.cloud.hostWorker(hostOfPlace(onHost));
    const work = place[name] as ((input: unknown, call: Call) => Promise<unknown>) | undefined;
    if (!work) throw new Error(`${name} is not done by ${onHost ?? 'the control workers'}`);
    return work(envelope.input, call);
  }

  async child(request: ChildRequest): Promise<Record<string, unknown> | null> {
    if (this.stopped) return new Promise(() => undefined);
    if (this.cancelled()) throw new DroverError('Cancelled', `${request.operation} was cancelled`);
    const id = this.subjectId(request.operation, request.subject);
    const child = new FakeRun(this.cloud, id, { ...this.knobs, troubles: [] });
    const order = onWire<Order>({ request: request.request, input: request.input });
    return (await this.follow(child, request.operation, () =>
      startOrder(child, request.operation, order),
    )) as Record<string, unknown> | null;
  }

  async childRun({ type, workflowId, label, argument }: ChildRun): Promise<unknown> {
    if (this.stopped) return new Promise(() => undefined);
    if (this.cancelled()) throw new DroverError('Cancelled', `${label} was cancelled`);
    const child = new FakeRun(this.cloud, workflowId, { ...this.knobs, troubles: [] });
    return this.follow(child, label, () =>
      child.run(type, () => childRuns[type](onWire(argument), child, (heard) => (child.heard = heard))),
    );
  }

  /** Waits for a child that `begin` starts; a cancel of the scope reaches it. */
  private async follow(child: FakeRun, what: string, begin: () => Promise<Ending>): Promise<unknown> {
    const pass = () => child.cancel();
    const { signal } = this.here;
    signal.addEventListener('abort', pass);
    try {
      // The child begins outside of the scopes of its parent.
      const ended = await scopes.exit(begin);
      if (this.stopped) return await new Promise(() => undefined);
      if (ended.end === 'failed') throw ended.error;
      if (ended.end === 'stopped') throw new DroverError('Cancelled', `${what} was terminated from outside`);
      return ended.result;
    } finally {
      signal.removeEventListener('abort', pass);
      this.poke();
    }
  }

  async tell(workflowId: string, word: Word): Promise<void> {
    const run = this.cloud.runs.get(workflowId);
    if (!run || !this.cloud.workflows.get(workflowId)?.open) return;
    scopes.exit(() => run.heard(onWire(word)));
    run.poke();
    await Promise.resolve();
  }

  scope<T>(work: () => Promise<T>): { result: Promise<T>; cancel(): void } {
    const inner = new AbortController();
    const cancel = () => inner.abort();
    const { signal } = this.here;
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    return { result: scopes.run(inner, work), cancel };
  }

  async sleep(ms: number, summary: string): Promise<void> {
    const { signal } = this.here;
    await this.cloud.time.sleep(ms, signal);
    this.poke();
    if (this.stopped) await new Promise(() => undefined);
    if (signal.aborted) throw new DroverError('Cancelled', `${summary} was cancelled`);
  }

  async until(holds: () => boolean, ms: number | null): Promise<boolean> {
    const { signal } = this.here;
    if (signal.aborted) throw new DroverError('Cancelled', 'the wait was cancelled');
    if (holds()) return true;
    const over = new AbortController();
    let ask: () => void = () => undefined;
    const held = new Promise<true>((resolve) => {
      ask = () => {
        if (holds()) resolve(true);
      };
    });
    this.waiting.add(ask);
    const late = ms === null ? [] : [this.cloud.time.sleep(ms, over.signal).then(() => false)];
    const answer = await Promise.race([held, ...late, aborted(signal).then(() => null)]);
    this.waiting.delete(ask);
    over.abort();
    this.poke();
    if (this.stopped) await new Promise(() => undefined);
    if (answer === null) throw new DroverError('Cancelled', 'the wait was cancelled');
    return answer;
  }

  runWorkflowId(run: string): string {
    return runWorkflowId('fake', run);
  }
  batchWorkflowId(run: string, step: string, batch: number): string {
    return batchWorkflowId('fake', run, step, batch);
  }
  subjectId(operation: string, subject: string): string {
    return subjectWorkflowId('fake', operation, subject);
  }
  shielded<T>(work: () => Promise<T>): Promise<T> {
    return scopes.run(new AbortController(), work);
  }
  cancelled(): boolean {
    return this.here.signal.aborted;
  }
  id(): string {
    return randomUUID();
  }
  now(): number {
    return this.cloud.time.now();
  }
  show(phase: string, details: string): void {
    this.shown.push({ phase, details });
  }
}

const busy = (operation: string, workflowId: string): DroverError =>
  new DroverError(
    operation.startsWith('host.') ? 'HostBusy' : 'InstanceBusy',
    `${workflowId} is busy with another operation`,
    { details: { workflowId } },
  );

async function startOrder(run: FakeRun, key: string, order: Order): Promise<Ending> {
  const operation = operations.get(key);
  if (!operation) throw new Error(`no operation ${key}`);
  return run.run(key, () =>
    operation.target === 'host' ? operateOnHost(operation, order, run) : operate(operation, order, run),
  );
}

/** Starts an operation as a client does. `ending` settles when its workflow has ended. */
export function start(
  cloud: FakeCloud,
  key: string,
  input: Record<string, unknown>,
  knobs: Knobs = {},
  request: Partial<Order['request']> = {},
): { run: FakeRun; id: string; ending: Promise<Ending> } {
  const subject = String(key.startsWith('host.') ? input['host'] : input['instance']);
  const run = new FakeRun(cloud, subjectWorkflowId('fake', key, subject), knobs);
  const order = {
    request: { id: randomUUID(), by: 'test', role: 'admin' as const, run: null, ...request },
    input,
  };
  return { run, id: order.request.id, ending: startOrder(run, key, onWire(order)) };
}
