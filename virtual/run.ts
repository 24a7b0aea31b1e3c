/** One run of a workflow: the runtime of its operation, runbook or janitor. */
import { activityTable } from '../activities/table.js';
import type { Activities, ActivityName, Envelope } from '../activities/types.js';
import {
  batchWorkflowId,
  delayedWorkflowId,
  hostOfPlace,
  runWorkflowId,
  subjectWorkflowId,
} from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type {
  ActivityOptions,
  AskHandler,
  ChildRequest,
  ChildRun,
  DelayedOrder,
  Runtime,
  Word,
} from '../workflows/runtime.js';
import { placeOfVantage, recoveryPlace, type Place } from './places.js';
import type { WorkerProcess } from './process.js';
import { Scope } from './scope.js';
import { Asks } from './asks.js';
import { toldOf, type Ending } from './ending.js';
import { callOf, perform, type Task, type TaskRun } from './task.js';
import type { VirtualTemporal } from './temporal.js';
import { noKnobs, troublesAt, type Knobs } from './trouble.js';
import { Conditions, timer } from './waits.js';
import { cancelled, onWire, wired } from './wire.js';

const never = <T>(): Promise<T> => new Promise(() => {});

export class VirtualRun implements Runtime, TaskRun {
  /** The activities that it asked for, in their order. */
  readonly calls: string[] = [];
  readonly shown: { phase: string; details: string }[] = [];
  private readonly asks = new Asks();
  /** By the name of the signal or update. */
  readonly handlers = this.asks.handlers;
  /** The answer to the query of that name. */
  progress: () => unknown = () => null;
  readonly runId: string;
  readonly root = new Scope<VirtualRun>(this);
  /** Settles when it has ended. */
  readonly ended: Promise<Ending>;
  private end: (ending: Ending) => void = () => undefined;
  private ending: Ending | null = null;
  private readonly terminations = new Set<() => void>();
  private readonly conditions = new Conditions();
  private readonly pending = new Map<symbol, string>();

  constructor(
    private readonly temporal: VirtualTemporal,
    readonly type: string,
    readonly workflowId: string,
    /** What it was started with. */
    readonly argument: unknown,
    private readonly knobs: Knobs = noKnobs,
    /** Whose workers run it, and do what it asks of nobody else. */
    readonly home: Place = null,
  ) {
    this.runId = temporal.random.uuid();
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  begin(work: () => Promise<unknown>): void {
    const { scopes } = this.temporal;
    const working = scopes.within(this.root, async () => onWire(await work()));
    void working.then(
      (result) => this.close({ end: 'done', result }),
      (error: unknown) => this.close({ end: 'failed', error: wired(error) }),
    );
  }

  get open(): boolean {
    return this.ending === null;
  }
  get terminated(): boolean {
    return this.ending?.end === 'terminated';
  }

  cancel(): void {
    if (!this.open) return;
    this.root.cancel();
    this.stir();
  }

  /** Nothing of it goes on but the activities that run, and its children. */
  terminate(): void {
    if (!this.open) return;
    this.close({ end: 'terminated' });
    for (const hook of this.terminations) hook();
  }

  onTerminated(hook: () => void): () => void {
    this.terminations.add(hook);
    return () => this.terminations.delete(hook);
  }

  crash = (process: WorkerProcess): void => this.temporal.crash(process);
  fault = (what: string): void => this.temporal.log.add('fault', this.who, what);

  /** An update, or a signal: it is validated, and then handled within the workflow. */
  async ask(name: string, ask: unknown): Promise<unknown> {
    if (!this.open) throw new DroverError('NotFound', `${this.who} has ended`);
    const within = (work: () => Promise<unknown>) => this.temporal.scopes.within(this.root, work);
    return this.asks.ask(name, ask, this.who, within).finally(() => this.stir());
  }

  serve = (name: string, handler: AskHandler): void => this.asks.serve(name, handler);
  hear: Runtime['hear'] = (take) => this.asks.hear(take);

  /** Whoever asked gets an answer, although the workflow has come to its end meanwhile. */
  async heardOut<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await this.shielded(() => this.until(() => this.asks.answered, null));
    }
  }

  /** Conditions are asked again; true when one holds. */
  recheck(): boolean {
    return this.conditions.recheck();
  }

  /** What it waits for, for whoever wonders why it does not end. */
  get waits(): string {
    return `${this.who} waits for ${[...this.pending.values()].join(', ') || 'nothing'}`;
  }

  get who(): string {
    return `${this.type} ${this.workflowId.split('/').slice(2).join('/')}`.trim();
  }

  async activity<K extends ActivityName>(
    name: K,
    input: Parameters<Activities[K]>[0],
    options: ActivityOptions = {},
  ): Promise<never> {
    const { owner = null, seq = 0, undo = null, onHost = null, atVantage = null, within = null } = options;
    const home = options.byRecovery === true ? recoveryPlace : this.home;
    const host = onHost === null ? null : hostOfPlace(onHost);
    if (activityTable[name].where === 'host' && undo && owner) {
      // The host's worker has no inventory: the intent is noted by a control worker before the host acts.
      const asked = { host: null, input: { owner, seq, undo }, owner: null, seq: 0, undo: null };
      await this.step({ name: 'admit', envelope: asked, place: this.home, within: null });
    }
    const envelope: Envelope = { host, input: input as Envelope['input'], owner, seq, undo };
    const place = atVantage === null ? (onHost ?? home) : placeOfVantage(atVantage);
    return (await this.step({ name, envelope, place, within })) as never;
  }

  private async step(asked: Pick<Task, 'name' | 'envelope' | 'place' | 'within'>): Promise<unknown> {
    if (this.terminated) return never();
    const call = callOf(asked);
    const scope = this.reach(call);
    this.calls.push(call);
    const { temporal, knobs } = this;
    temporal.log.add('call', this.who, call);
    const troubles = troublesAt(knobs, this.calls.length, call);
    const envelope = onWire(asked.envelope);
    const task = { ...asked, envelope, troubles, twice: knobs.twice === true };
    try {
      return onWire(await this.waitFor(call, () => perform(task, scope, temporal.clock, temporal)));
    } catch (error) {
      throw wired(error);
    }
  }

  async child(request: ChildRequest): Promise<Record<string, unknown> | null> {
    if (this.terminated) return never();
    const { operation, subject, label, request: asked, input } = request;
    const scope = this.reach(operation);
    const id = this.subjectId(operation, subject);
    this.temporal.log.name(subject, label);
    const run = this.temporal.start(operation, id, { request: asked, input }, this.asChild(label));
    return (await this.follow(run, scope, operation)) as Record<string, unknown> | null;
  }

  async childRun({ type, workflowId, label, argument }: ChildRun): Promise<unknown> {
    if (this.terminated) return never();
    const scope = this.reach(label);
    const run = this.temporal.start(type, workflowId, argument, this.asChild(label));
    return this.follow(run, scope, label);
  }

  async later(order: DelayedOrder): Promise<void> {
    if (this.terminated) return never();
    const id = delayedWorkflowId(this.temporal.cloud, order.of);
    if (this.temporal.newest(id)?.open === true) return;
    const label = `${order.child.label}, later`;
    this.temporal.start('delayed-operation', id, order, { label, home: this.home });
  }

  async tell(workflowId: string, word: Word): Promise<void> {
    if (this.terminated) return never();
    const run = this.temporal.newest(workflowId);
    if (run?.open === true && run.handlers.has('word')) await run.ask('word', word);
  }

  scope<T>(work: () => Promise<T>): { result: Promise<T>; cancel: () => void } {
    const inner = new Scope<VirtualRun>(this, this.here);
    const result = this.temporal.scopes.within(inner, work).finally(() => inner.leave());
    return { result, cancel: () => inner.cancel() };
  }

  shielded<T>(work: () => Promise<T>): Promise<T> {
    return this.temporal.scopes.within(new Scope<VirtualRun>(this), work);
  }

  async sleep(ms: number, summary: string): Promise<void> {
    if (this.terminated) return never();
    const scope = this.reach(summary);
    await this.waitFor(summary, () => timer(this.temporal.clock, ms, scope));
    if (scope.cancelled) throw cancelled(summary);
  }

  async until(holds: () => boolean, ms: number | null): Promise<boolean> {
    if (this.terminated) return never();
    const scope = this.reach('the wait');
    if (holds()) return true;
    return this.waitFor('a condition', () => this.conditions.wait(holds, ms, scope, this.temporal.clock));
  }

  runWorkflowId = (run: string): string => runWorkflowId(this.temporal.cloud, run);
  batchWorkflowId = (run: string, step: string, batch: number): string =>
    batchWorkflowId(this.temporal.cloud, run, step, batch);
  subjectId = (operation: string, subject: string): string =>
    subjectWorkflowId(this.temporal.cloud, operation, subject);
  cancelled = (): boolean => this.here.cancelled;
  id = (): string => this.temporal.random.uuid();
  now = (): number => this.temporal.clock.now();
  show(phase: string, details: string): void {
    if (phase === this.shown.at(-1)?.phase) this.shown.pop();
    else this.temporal.log.phase(this.who, phase, details);
    this.shown.push({ phase, details });
  }

  private get here(): Scope<VirtualRun> {
    return this.temporal.scopes.current ?? this.root;
  }

  private asChild(label: string): { knobs: Knobs; label: string; home: Place } {
    return { knobs: this.childKnobs, label, home: this.home };
  }

  private get childKnobs(): Knobs {
    const { children = noKnobs, twice = false } = this.knobs;
    return { twice, children, ...children };
  }

  /** The scope in which something new begins; in one that is cancelled nothing does. */
  private reach(what: string): Scope<VirtualRun> {
    const { here } = this;
    if (here.cancelled) throw cancelled(what);
    return here;
  }

  private async waitFor<T>(what: string, work: () => Promise<T>): Promise<T> {
    const key = Symbol(what);
    this.pending.set(key, what);
    try {
      return await work();
    } finally {
      this.pending.delete(key);
      this.stir();
      if (this.terminated) await never();
    }
  }

  /** Waits for a child; a cancel of the scope reaches it. */
  private async follow(child: VirtualRun, scope: Scope<VirtualRun>, what: string): Promise<unknown> {
    const forget = scope.onCancel(() => child.cancel());
    const ending = await this.waitFor(what, () => child.ended);
    forget();
    if (ending.end === 'done') return ending.result;
    if (ending.end === 'terminated') {
      const message = `${what} was terminated from outside; the janitor settles what it left`;
      throw new DroverError('Cancelled', message);
    }
    throw ending.error.code === 'Cancelled' && child.root.cancelled ? cancelled(what) : ending.error;
  }

  /** Something happened: its conditions are to be asked again. */
  private stir(): void {
    if (this.conditions.size > 0) this.temporal.stirred(this);
  }

  private close(ending: Ending): void {
    if (!this.open) return;
    this.ending = ending;
    this.temporal.log.add('ends', this.who, toldOf(ending));
    this.temporal.closed(this);
    this.end(ending);
  }
}
