import { DroverError } from '../../model/errors.js';
import type { Call, MigrateInput } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { throwIfStopped } from './guard.js';
import { guestLost, judge, lookAtBoth, tell, type Side, type Sides } from './verdict.js';

/** How often the two halves are joined again, when their stream has broken, before it is given up. */
const tries = 4;

/**
 * Follows a guest that runs on its target while the rest of its memory is on its source. There is no way back from
 * here: nothing is aborted, a cancel and a time limit come too late, and the source's half is never resumed. Answers
 * where the guest is whole; PostCopyFailed where it is lost, or can't be made whole.
 */
export async function followPostCopy(
  deps: HypervisorDeps,
  input: MigrateInput,
  call: Call,
  most: number = tries,
): Promise<Sides> {
  const { pace, clock, hypervisor } = deps;
  const rejoin = new Rejoin(deps, input, most);
  let before: string | null = null;
  let unclearSince: number | null = null;
  for (;;) {
    if (!call.cancelRequested()) throwIfStopped(call, `${input.name} is moved by post-copy`);
    const sides = await lookAtBoth(hypervisor, input);
    const now = halves(sides);
    const again = before === now;
    before = now;
    call.heartbeat({ phase: 'post-copy', halves: now, tries: rejoin.tried });
    if (now === 'whole') {
      if (!isHalf(sides.source)) return sides;
      // The target has it all; what its source keeps of it goes by itself, or is ended.
      if (again) await hypervisor.destroy(input.source, input.instance);
    } else if (now === 'lost') {
      if (again)
        throw failed(input, sides, 'one of its two halves is gone, and with it what it had in memory');
    } else if (now === 'none') {
      if (again) throw guestLost(input, sides, 'is whole on neither host');
    } else if (now === 'unclear') {
      unclearSince ??= clock.now();
      if (clock.now() - unclearSince > pace.patienceMs)
        throw failed(input, sides, 'not both of its hosts answer');
    } else if (now === 'broken' && again && !rejoin.runs) {
      if (rejoin.isSpent) throw failed(input, sides, `its two halves could not be joined: ${rejoin.message}`);
      rejoin.try();
    }
    if (now !== 'unclear') unclearSince = null;
    // Not interrupted: a cancel changes nothing here.
    await clock.sleep(pace.pollMs);
  }
}

type Halves = 'whole' | 'flowing' | 'broken' | 'lost' | 'unclear' | 'none';

/** What the two sides show together. */
function halves(sides: Sides): Halves {
  const { source, target } = sides;
  if (!source.answered || !target.answered) return 'unclear';
  const [here, there] = [source.view?.postCopy ?? null, target.view?.postCopy ?? null];
  if (here !== null && there !== null) return here === 'failed' || there === 'failed' ? 'broken' : 'flowing';
  const runs = target.view?.power === 'running' || target.view?.power === 'paused';
  if (there === null && runs) return 'whole';
  if (here !== null || there !== null) return 'lost';
  return judge(sides) === 'landed-off' ? 'whole' : 'none';
}

const isHalf = (side: Side): boolean => side.answered && side.view !== null && side.view.postCopy !== null;

/** Joining goes on while its outcome is watched: QEMU may go on by itself once the network does. */
class Rejoin {
  tried = 0;
  runs = false;
  message = 'it was not tried';
  private endedAt: number | null = null;

  constructor(
    private readonly deps: HypervisorDeps,
    private readonly input: MigrateInput,
    private readonly most: number,
  ) {}

  get isSpent(): boolean {
    return this.tried >= this.most && !this.rests;
  }

  /** Between two tries, and after the last, so long is waited for what comes about by itself. */
  private get rests(): boolean {
    const { clock, pace } = this.deps;
    return this.endedAt !== null && clock.now() - this.endedAt < pace.settleMs;
  }

  try(): void {
    if (this.rests || this.tried >= this.most) return;
    const { instance: id, name, source, target, copy, bandwidthMiBs } = this.input;
    this.tried += 1;
    this.runs = true;
    const done = this.deps.hypervisor.resumePostCopy({ id, name, source, target, copy, bandwidthMiBs });
    void done
      .catch((error: unknown) => {
        this.message = error instanceof Error ? error.message : String(error);
      })
      .finally(() => {
        this.runs = false;
        this.endedAt = this.deps.clock.now();
      });
  }
}

function failed({ name, source, target }: MigrateInput, sides: Sides, why: string): DroverError {
  const seen = tell({ source, target }, sides);
  return new DroverError('PostCopyFailed', `the post-copy of ${name} failed: ${why}. Seen: ${seen}`, {
    details: { source: source.name, target: target.name, seen },
    hint: `never resume it on ${source.name}; \`drover instance reboot --hard ${name}\` boots it afresh on ${target.name}`,
  });
}
