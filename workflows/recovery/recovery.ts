/** One recovery while it runs: what is known of its incident, its log, and how it is told. */
import type { Answer } from '../../activities/types.js';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Evidence, IncidentState, Recovered, RecoveryMode, Verdict } from '../../model/incident.js';
import type { HostCtx } from '../ctx.js';
import { asDroverError } from '../unwind.js';
import { markdown } from './markdown.js';
import { serveAsks, type Question } from './asks.js';

/** How it ends. `error`: what is told to who asked, where it did not end well. */
export interface Ending {
  state: IncidentState;
  says: string;
  /** It stays closed for new instances, although nothing was done to it. */
  staysClosed?: true;
  error?: DroverError;
}

/** What a line of the log may say beside its sentence. */
type Said = Partial<Pick<Parameters<NoteIncident>[0], 'state' | 'verdict' | 'waitsFor' | 'instances'>> & {
  details?: Record<string, unknown>;
};
type NoteIncident = (input: {
  state?: IncidentState;
  verdict?: Verdict;
  waitsFor?: string | null;
  instances?: Recovered[];
}) => Promise<void>;

export class Recovery {
  state: IncidentState;
  /** What proves that the host is off; null while nothing does. */
  evidence: Evidence | null;
  /** Whether the inventory holds the host for fenced. */
  held: boolean;
  /** Whether an earlier run of it fenced the host. */
  readonly fencedBefore: boolean;
  /** Devices that said off while the host lived. */
  readonly distrusted: Set<string>;
  /** When the evidence was proven last, with a second witness; 0 for never by this run. */
  provenAt = 0;
  /** Whether a device was told to cut it off: then it may be off, whatever is known. */
  cut = false;
  /** Somebody took the host back before all of it was brought back elsewhere: there is nothing to recover any more. */
  readmitted = false;
  /** Whether we closed it for new instances. */
  disabled: boolean;
  /** Since when nobody sees it, as far as this recovery knows. */
  silentSince: string | null = null;
  approvedBy: string | null;
  question: Question | null = null;
  /** Why it was begun is over, as the run says that began it; heard while nothing was done yet. */
  resolved: string | null = null;
  /** Whether it is still asked if the host is lost. */
  confirming = false;
  /** Somebody else asked for it as well. */
  joined = false;
  instances: Recovered[] = [];
  readonly log: { phase: string; says: string }[] = [];

  mode: RecoveryMode;
  private untold: { id: string; phase: string; says: string }[] = [];
  private telling: Promise<void> | null = null;

  private constructor(
    readonly ctx: HostCtx,
    readonly opened: Answer<'openIncident'>,
  ) {
    const { fence } = opened.host;
    this.fencedBefore = fence?.incident === opened.incident;
    this.held = this.fencedBefore && fence?.state === 'held';
    this.state = this.held ? 'evacuating' : 'confirming';
    // A device can be asked again; what a person or the time proved is over once the host was let go.
    const lasts = fence?.state === 'released' && fence.evidence.kind === 'power-off';
    this.evidence = this.fencedBefore && (this.held || lasts) ? (fence?.evidence ?? null) : null;
    this.disabled = opened.host.disabledReason?.includes(opened.incident) ?? false;
    this.distrusted = new Set(opened.distrusted);
    this.approvedBy = opened.approvedBy;
    this.mode = opened.mode;
  }

  /** Opens the incident, or goes on with the one that there is; throws what holds it back. */
  static async open(ctx: HostCtx, host: string, reason: string): Promise<Recovery> {
    const opened = await ctx.call('openIncident', { request: ctx.request, host, reason });
    if (opened.refused !== null) {
      const { code, message, details, hint } = opened.refused;
      throw new DroverError(code, message, { details, hint });
    }
    const recovery = new Recovery(ctx, opened);
    serveAsks(recovery);
    ctx.hear((word) => ('resolved' in word ? recovery.hear(word) : undefined));
    const asked = `${ctx.request.by} asks for the recovery of ${host}: ${reason}`;
    const fenced = recovery.evidence && `; it is fenced already (${recovery.evidence.says})`;
    await recovery.note(
      'opened',
      `${asked}${opened.joined ? '; it goes on from what is recorded' : ''}${fenced ?? ''}`,
    );
    return recovery;
  }

  get host(): string {
    return this.opened.host.name;
  }
  get ref(): HostRef {
    const { name, uri } = this.opened.host;
    return { name, uri };
  }
  get id(): string {
    return this.opened.incident;
  }

  /** A line of the log, as it happens; an incident tells itself. */
  async note(phase: string, says: string, { details, ...said }: Said = {}): Promise<void> {
    const { ctx, id } = this;
    if (said.state !== undefined) this.state = said.state;
    this.log.push({ phase, says });
    this.show();
    const line = { id: ctx.id(), phase, says, ...(details === undefined ? {} : { details }) };
    await ctx.shielded(() => ctx.call('noteIncident', { incident: id, lines: [line], ...said }));
  }

  /** As `note`, for what comes by the dozen: what is told while a line is written is written with the next. */
  tell(phase: string, says: string): void {
    const { ctx, id } = this;
    this.log.push({ phase, says });
    this.show();
    this.untold.push({ id: ctx.id(), phase, says });
    this.telling ??= ctx.shielded(async () => {
      while (this.untold.length > 0) {
        const lines = this.untold.splice(0, linesAtOnce);
        await ctx.call('noteIncident', { incident: id, lines });
      }
      this.telling = null;
    });
  }

  async allTold(): Promise<void> {
    await this.telling;
  }

  /** What it was begun for is over: then it need not go on, unless somebody else wants it, or the host is cut off already. */
  async hear({ resolved, run }: { resolved: string; run?: string }): Promise<void> {
    const goesOn = this.joined
      ? 'somebody else asked for it, too'
      : run !== this.ctx.request.run?.id
        ? 'another run began it'
        : this.confirming
          ? null
          : 'the host was confirmed lost before';
    if (goesOn === null) this.resolved ??= resolved;
    await this.note('resolved', `${resolved}${goesOn === null ? '' : `; it goes on: ${goesOn}`}`);
  }

  show(): void {
    this.ctx.show(this.state, markdown(this));
  }

  /** The host takes no new instances from now on; one that a person disabled keeps that person's reason. */
  async disable(): Promise<void> {
    const { ctx, host, id } = this;
    if (!this.opened.host.enabled || this.disabled) return;
    this.disabled = true;
    const reason = `it is being recovered (incident ${id})`;
    await ctx.call('setHostEnabled', { host, enabled: false, reason, by: ctx.request.by });
  }

  /** Taken back where the host turned out to live and nothing was done to it. */
  async enable(): Promise<void> {
    const { ctx, host } = this;
    if (!this.disabled) return;
    await ctx.call('setHostEnabled', { host, enabled: true, reason: null, by: ctx.request.by });
    this.disabled = false;
  }

  /** From here on nothing is asked of the host, and its instances may be started elsewhere. */
  async hold(evidence: Evidence): Promise<void> {
    const { ctx, host, id } = this;
    await ctx.call('setFence', { incident: id, host, evidence });
    this.evidence = evidence;
    this.held = true;
    this.provenAt = ctx.now();
    await this.note('fenced', `${host} certainly runs nothing: ${evidence.says}`, {
      state: 'evacuating',
      details: { evidence },
    });
  }

  /** They said off, and it lived: nothing that they say of it counts any more. */
  async distrust(devices: readonly string[], why: string): Promise<void> {
    for (const device of devices) this.distrusted.add(device);
    await this.note('distrusted', `${devices.join(' and ')} can't be believed: ${why}`, {
      details: { devices },
    });
  }

  /** Runs the story, and closes the incident however that ends. */
  async closing(story: () => Promise<Ending>): Promise<Record<string, unknown>> {
    const { ctx } = this;
    let ending: Ending;
    try {
      ending = await story();
    } catch (cause) {
      const error = asDroverError(cause);
      await ctx.shielded(() => this.close(brokenOff(this, error)));
      throw error;
    }
    await ctx.shielded(() => this.close(ending));
    if (ending.error) throw ending.error;
    return { incident: this.id, host: this.host, state: ending.state, says: ending.says };
  }

  private async close({ state, says, error, staysClosed }: Ending): Promise<void> {
    const { ctx, id, instances } = this;
    this.question = null;
    if (staysClosed !== true && (state === 'false-alarm' || state === 'not-fenced')) await this.enable();
    await this.note('closed', says, { state, waitsFor: null });
    await ctx.call('closeIncident', { incident: id, state, instances, error: error?.toRecord() ?? null });
  }
}

const linesAtOnce = 100;

/** Cancelled or broken in the middle: what is fenced stays so, what was begun elsewhere stays there. */
function brokenOff({ host, evidence, cut, ctx }: Recovery, error: DroverError): Ending {
  const why = error.code === 'Cancelled' ? 'cancelled' : `broken off: ${error.message}`;
  const again = `\`drover host recover ${host}\` goes on from here`;
  if (evidence !== null)
    return { state: 'partly-recovered', says: `${why}; ${host} stays fenced; ${again}`, error };
  if (cut)
    return {
      state: 'failed',
      says: `${why}; ${host} may be off already, nothing proves it; ${again}`,
      error,
    };
  const state = error.code === 'Cancelled' || ctx.cancelled() ? 'not-fenced' : 'failed';
  return { state, says: `${why}; nothing was done to ${host}`, error };
}
