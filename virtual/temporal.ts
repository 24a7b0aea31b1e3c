/** What a Temporal server does for drover: workflow ids that admit one run at a time, and workers that take tasks. */
import { isRecovery } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { OperationAsk } from '../model/operation.js';
import { operations } from '../workflows/catalogue.js';
import type { VirtualClock } from './clock.js';
import { workOf } from './dispatch.js';
import type { EventLog } from './log.js';
import { queueOf, recoveryPlace, type Place } from './places.js';
import { WorkerProcess, type Skills } from './process.js';
import type { Random } from './random.js';
import { VirtualRun } from './run.js';
import { Scopes } from './scope.js';
import type { Workers } from './task.js';
import { noKnobs, type Knobs } from './trouble.js';

type Maker = (process: WorkerProcess) => Skills;

export class VirtualTemporal implements Workers {
  readonly scopes = new Scopes<VirtualRun>();
  private readonly runs = new Map<string, VirtualRun>();
  private readonly unended = new Set<VirtualRun>();
  private readonly stirredRuns = new Set<VirtualRun>();
  private readonly makers = new Map<string, Maker>();
  private readonly workers = new Map<string, WorkerProcess>();
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(
    readonly cloud: string,
    readonly clock: VirtualClock,
    readonly random: Random,
    readonly log: EventLog,
  ) {
    clock.wakes = () => this.recheck();
    clock.tellsWaits = () => [...this.unended].map((run) => run.waits).join('\n');
  }

  /** Refused while a run with this workflow id is open. */
  start(
    type: string,
    workflowId: string,
    argument: unknown,
    {
      knobs = noKnobs,
      label = workflowId,
      home = null,
    }: { knobs?: Knobs; label?: string; home?: Place } = {},
  ): VirtualRun {
    if (this.runs.get(workflowId)?.open) throw busy(type, workflowId, label);
    const place = isRecovery(type) ? recoveryPlace : home;
    const run = new VirtualRun(this, type, workflowId, argument, knobs, place);
    const work = workOf(run);
    this.runs.set(workflowId, run);
    this.unended.add(run);
    this.log.add('starts', run.who, '');
    run.begin(work);
    return run;
  }

  /** The open run that whoever asks for the operation joins; it is told, as the client tells it. */
  joined(type: string, workflowId: string, ask: OperationAsk): VirtualRun | undefined {
    const operation = operations.get(type);
    const run = this.runs.get(workflowId);
    if (operation?.target !== 'host' || operation.joins !== true || run?.open !== true) return undefined;
    if (run.handlers.has('join')) void run.ask('join', ask).catch(() => undefined);
    return run;
  }

  /** A new run with the argument of the one that is open now, which is terminated. */
  reset(workflowId: string, knobs: Knobs = noKnobs): VirtualRun {
    const run = this.runs.get(workflowId);
    if (!run) throw new DroverError('NotFound', `there was never a workflow ${workflowId}`);
    run.terminate();
    return this.start(run.type, workflowId, run.argument, { knobs, home: run.home });
  }

  newest(workflowId: string): VirtualRun | undefined {
    return this.runs.get(workflowId);
  }

  describe(workflowId: string): { open: boolean; type: string; runId: string } | null {
    const run = this.runs.get(workflowId);
    return run ? { open: run.open, type: run.type, runId: run.runId } : null;
  }

  get open(): readonly VirtualRun[] {
    return [...this.unended];
  }

  /** The newest run of every workflow that there was. */
  get all(): readonly VirtualRun[] {
    return [...this.runs.values()];
  }

  closed(run: VirtualRun): void {
    this.unended.delete(run);
  }

  /** A worker for the place, made again whenever it is killed. */
  employ(place: Place, make: Maker): void {
    this.makers.set(queueOf(place), make);
    this.startWorker(place);
  }

  /** The workers of the place do from now on what `change` makes of what they did. */
  alter(place: Place, change: (skills: Skills) => Skills): void {
    const make = this.makers.get(queueOf(place));
    if (make) this.employ(place, (process) => change(make(process)));
  }

  of(place: Place): WorkerProcess | undefined {
    return this.workers.get(queueOf(place));
  }

  onStart(place: Place, begin: () => void): () => void {
    const queue = queueOf(place);
    const waiting = this.waiting.get(queue) ?? new Set();
    this.waiting.set(queue, waiting.add(begin));
    return () => waiting.delete(begin);
  }

  startWorker(place: Place): void {
    const queue = queueOf(place);
    const make = this.makers.get(queue);
    if (!make) throw new DroverError('NotFound', `there is no worker for ${queue}`);
    this.workers.set(queue, new WorkerProcess(make));
    const waiting = [...(this.waiting.get(queue) ?? [])];
    this.waiting.delete(queue);
    for (const begin of waiting) begin();
  }

  /** SIGKILL, and nobody starts it again. */
  killWorker(place: Place): void {
    const queue = queueOf(place);
    this.workers.get(queue)?.kill();
    this.workers.delete(queue);
  }

  /** SIGTERM, and a new one takes its place: a deploy. */
  redeploy(place: Place): void {
    const old = this.workers.get(queueOf(place));
    this.startWorker(place);
    old?.stop();
  }

  /** SIGKILL, and systemd starts it again. */
  crash(process: WorkerProcess): void {
    process.kill();
    for (const [queue, each] of this.workers) {
      const make = this.makers.get(queue);
      if (each === process && make) this.workers.set(queue, new WorkerProcess(make));
    }
  }

  stirred(run: VirtualRun): void {
    this.stirredRuns.add(run);
  }

  private recheck(): boolean {
    if (this.stirredRuns.size === 0) return false;
    const runs = [...this.stirredRuns];
    this.stirredRuns.clear();
    return runs.map((run) => run.recheck()).includes(true);
  }
}

const busy = (type: string, workflowId: string, label: string): DroverError =>
  new DroverError(
    type.startsWith('host.') ? 'HostBusy' : 'InstanceBusy',
    `${label} is busy with another operation`,
    { details: { workflowId } },
  );
