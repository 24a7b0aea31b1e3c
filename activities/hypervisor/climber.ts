import { DroverError } from '../../model/errors.js';
import { defaultMovePolicy } from '../../model/instance.js';
import type { LadderStep } from '../../model/operation.js';
import type { MigrateInput } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import {
  nextRung,
  says,
  see,
  startClimb,
  take,
  usualDowntimeMs,
  type Climb,
  type Limits,
  type Rung,
} from './ladder.js';
import type { JobView } from './port.js';

/** Takes the rungs of the ladder that are due, each as far as the instance's policy goes, and writes them down. */
export class Climber {
  private climb: Climb | null = null;
  private readonly limits: Limits;
  /** What was done so far, for whoever watches. */
  readonly taken: string[] = [];

  constructor(
    private readonly deps: HypervisorDeps,
    private readonly input: MigrateInput,
  ) {
    const { policy = defaultMovePolicy, noProgressSeconds = Infinity } = input;
    this.limits = { policy, noProgressMs: noProgressSeconds * 1000 };
  }

  /** Since when no round of memory was smaller; 0 before the first. */
  get stuckMs(): number {
    return this.climb === null ? 0 : this.deps.clock.now() - (this.climb.gainAt ?? 0);
  }

  /** `found`: an earlier attempt has begun it, and may have taken rungs already. Answers what came of it. */
  async look(job: JobView, found: boolean): Promise<'goes on' | 'post-copy' | { stalled: string }> {
    const now = this.deps.clock.now();
    this.climb ??= startClimb(this.limits.policy, found ? await this.resumed() : []);
    this.climb = see(this.climb, job, now);
    const rung = nextRung(this.climb, this.limits, job, now);
    if (rung === null) return 'goes on';
    if (rung.rung === 'stalled') return (await this.isSteered()) ? 'goes on' : { stalled: rung.why };
    if (!(await this.act(rung))) return 'goes on';
    // A budget below what is usual is no rung: the guest is only spared.
    if (rung.rung !== 'downtime' || rung.ms > usualDowntimeMs)
      await this.note(says(rung, this.climb, job), rung.rung);
    this.climb = take(this.climb, rung, now);
    return rung.rung === 'post-copy' ? 'post-copy' : 'goes on';
  }

  /** The hypervisor may refuse: it is too early, or the migration has just ended. Then it is tried at the next look. */
  private async act(rung: Exclude<Rung, { rung: 'stalled' }>): Promise<boolean> {
    const { hypervisor } = this.deps;
    const { source, instance } = this.input;
    try {
      if (rung.rung === 'downtime') await hypervisor.setMaxDowntime(source, instance, rung.ms);
      if (rung.rung === 'post-copy') await hypervisor.startPostCopy(source, instance);
      if (rung.rung === 'pause') await hypervisor.pause(source, instance);
      return true;
    } catch (error) {
      if (error instanceof DroverError) return false;
      throw error;
    }
  }

  private async note(text: string, rung: LadderStep['rung']): Promise<void> {
    this.taken.push(text);
    await this.deps.inventory.ladderStep(this.input.migration, { rung, says: text, by: null });
  }

  /** Before it is given up: somebody may have done something for it, which gets its time. */
  private async isSteered(): Promise<boolean> {
    const asked = (await this.recorded()).findLast(({ by }) => by !== null);
    if (this.climb === null || asked === undefined) return false;
    const at = Date.parse(asked.at);
    if (asked.rung === 'pause') this.climb = { ...this.climb, paused: { at, by: asked.by } };
    else if (at <= (this.climb.gainAt ?? 0)) return false;
    else this.climb = { ...this.climb, gainAt: at };
    return true;
  }

  private async resumed(): Promise<LadderStep[]> {
    const ladder = await this.recorded();
    this.taken.push(...ladder.map((step) => step.says));
    return ladder;
  }

  private async recorded(): Promise<LadderStep[]> {
    const migrations = await this.deps.inventory.migrations(this.input.instance);
    return migrations.find(({ id }) => id === this.input.migration)?.ladder ?? [];
  }
}
