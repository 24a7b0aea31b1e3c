import { describe, expect, it } from 'vitest';
import {
  nextRung,
  says,
  see,
  startClimb,
  take,
  type Climb,
  type Rung,
} from '../../../activities/hypervisor/ladder.js';
import type { JobView } from '../../../activities/hypervisor/port.js';
import { defaultMovePolicy, type MovePolicy } from '../../../model/instance.js';
import type { LadderStep } from '../../../model/operation.js';
import { jobView } from './fake-port.js';

const mib = 1024 ** 2;
const policyOf = (changes: Partial<MovePolicy> = {}): MovePolicy => ({ ...defaultMovePolicy, ...changes });

/** Every second a look; each round takes 5 s and begins with what `began` says, in MiB. The rungs that were due, with when. */
function climbed(
  policy: MovePolicy,
  began: (round: number) => number,
  more: { seconds?: number; noProgress?: number; job?: (second: number) => Partial<JobView> } = {},
): string[] {
  const { seconds = 120, noProgress = 60, job: changes = () => ({}) } = more;
  const limits = { policy, noProgressMs: noProgress * 1000 };
  const taken: string[] = [];
  let climb = startClimb(policy, []);
  for (let second = 0; second < seconds; second += 1) {
    const round = 1 + Math.floor(second / 5);
    const left = began(round) * mib - (second % 5) * mib;
    const job = jobView({
      iteration: round,
      remainingBytes: left,
      memoryBytesPerSecond: 10 * mib,
      ...changes(second),
    });
    climb = see(climb, job, second * 1000);
    const rung = nextRung(climb, limits, job, second * 1000);
    if (rung === null) continue;
    taken.push(`${second} ${toText(rung)}`);
    if (rung.rung === 'stalled' || rung.rung === 'post-copy') break;
    climb = take(climb, rung, second * 1000);
  }
  return taken;
}
const toText = (rung: Rung): string => ('ms' in rung ? `${rung.rung} ${rung.ms}` : rung.rung);

describe('the ladder', () => {
  it('takes no rung while each round is smaller than the one before', () => {
    expect(climbed(policyOf({ postCopy: true }), (round) => 1000 * 0.9 ** round)).toEqual([]);
  });

  it('raises the downtime by doubling, a round for each, to its budget and no further; then it stalls', () => {
    expect(climbed(policyOf({ downtimeMs: 2000 }), () => 100)).toEqual([
      '5 downtime 600',
      '10 downtime 1200',
      '15 downtime 2000',
      '60 stalled',
    ]);
  });

  it('lowers the limit at once where the budget is below what is usual', () => {
    expect(climbed(policyOf({ downtimeMs: 100 }), () => 100, { seconds: 3 })).toEqual(['0 downtime 100']);
  });

  it('goes to post-copy only when the budget is spent, and before any pause', () => {
    expect(climbed(policyOf({ postCopy: true, pauseMs: 60_000 }), () => 100)).toEqual([
      '5 downtime 500',
      '10 post-copy',
    ]);
  });

  it('waits for a guest that is slowed down: till the last step of it, or for half of the time', () => {
    const policy = policyOf({ autoConverge: true, postCopy: true });
    const rising = (second: number) => ({ throttlePercent: second < 8 ? null : Math.min(99, 20 + second) });
    expect(climbed(policy, () => 100, { job: rising, noProgress: 600 })).toEqual([
      '5 downtime 500',
      '8 auto-converge',
      '79 post-copy',
    ]);
    const slow = (second: number) => ({ throttlePercent: second < 8 ? null : 30 });
    expect(climbed(policy, () => 100, { job: slow })).toEqual([
      '5 downtime 500',
      '8 auto-converge',
      '30 post-copy',
    ]);
  });

  it('pauses only where the round fits into what is allowed, and not for longer', () => {
    expect(climbed(policyOf({ pauseMs: 9_000 }), () => 100)).toEqual(['5 downtime 500', '60 stalled']);
    expect(climbed(policyOf({ pauseMs: 11_000 }), () => 100)).toEqual([
      '5 downtime 500',
      '10 pause 10000',
      '22 stalled',
    ]);
  });

  it('knows no speed, and pauses nobody for what it can’t reckon', () => {
    const blind = () => ({ memoryBytesPerSecond: null });
    expect(climbed(policyOf({ pauseMs: 60_000 }), () => 100, { job: blind })).toEqual([
      '5 downtime 500',
      '60 stalled',
    ]);
  });

  it('gives up only after a round that was no smaller, however long the first one takes', () => {
    const first = () => ({ iteration: 1 });
    expect(climbed(policyOf(), () => 100, { job: first, seconds: 600 })).toEqual([]);
  });

  it('goes on from what is recorded', () => {
    const step = (rung: LadderStep['rung'], by: string | null = null): LadderStep => ({
      at: '1970-01-01T00:00:10.000Z',
      rung,
      says: '',
      by,
    });
    const policy = policyOf({ downtimeMs: 5000, pauseMs: 1000 });
    expect(startClimb(policy, [step('downtime'), step('downtime'), step('downtime', 'ada')])).toMatchObject({
      downtimeMs: 1200,
      paused: null,
    });
    const limits = { policy, noProgressMs: 1000 };
    const paused = startClimb(policy, [step('pause')]);
    expect(nextRung(paused, limits, jobView(), 11_000)).toBeNull();
    expect(nextRung(paused, limits, jobView(), 11_001)).toMatchObject({ rung: 'stalled' });
    // Whoever paused it by hand waits for its end.
    expect(nextRung(startClimb(policy, [step('pause', 'ada')]), limits, jobView(), 99_000)).toBeNull();
  });

  it('says what was done and why', () => {
    const climb: Climb = { ...startClimb(policyOf(), []), round: 4, began: 309.5 * mib };
    expect(says({ rung: 'downtime', ms: 500 }, climb, jobView())).toBe(
      'downtime up to 500 ms: round 4 began with 310 MiB, not less than before',
    );
  });
});
