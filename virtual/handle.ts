import type { Ending } from './ending.js';
import type { VirtualRun } from './run.js';
import type { VirtualTemporal } from './temporal.js';
import type { Knobs } from './trouble.js';
import { onWire } from './wire.js';

/** A workflow that was started, in the hands of whoever started it. */
export class Handle {
  constructor(
    private readonly temporal: VirtualTemporal,
    private current: VirtualRun,
    /** Of the operation or run. */
    readonly id: string,
  ) {}

  /** Its newest run. */
  get run(): VirtualRun {
    return this.current;
  }

  /** Whoever waits for it lets time pass. */
  get ending(): Promise<Ending> {
    return this.temporal.clock.drive(this.current.ended);
  }

  /** The activities that it asked for, in their order. */
  get calls(): readonly string[] {
    return this.current.calls;
  }

  cancel(): void {
    this.current.cancel();
  }

  terminate(): void {
    this.current.terminate();
  }

  /** As Temporal resets a workflow to its beginning: another run takes its place. */
  reset(knobs?: Knobs): Handle {
    this.current = this.temporal.reset(this.current.workflowId, knobs);
    return this;
  }

  /** Where a run stands. */
  progress(): unknown {
    return onWire(this.current.progress());
  }

  /** A Temporal update: approve, reject, pause, resume, cancel. */
  update(name: string, ask: object): Promise<unknown> {
    return this.temporal.clock.drive(this.current.ask(name, ask));
  }
}
