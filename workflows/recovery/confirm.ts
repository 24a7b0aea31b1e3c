/** Is the host lost? Asked until it is clear, for a bounded time; then a person is. */
import { DroverError } from '../../model/errors.js';
import type { Verdict } from '../../model/incident.js';
import { ask, type Question } from './asks.js';
import { look } from './look.js';
import type { Ending, Recovery } from './recovery.js';

/** How it ends where the host is not lost; null where it is. */
export async function confirm(recovery: Recovery): Promise<Ending | null> {
  recovery.confirming = true;
  try {
    return await untilClear(recovery);
  } finally {
    recovery.confirming = false;
  }
}

async function untilClear(recovery: Recovery): Promise<Ending | null> {
  const { ctx, opened } = recovery;
  const { rules } = opened;
  const deadline = ctx.now() + rules.confirmSeconds * 1000;
  let said = '';
  for (;;) {
    const verdict = await look(recovery);
    const told = `${verdict.verdict}: ${verdict.says}`;
    if (told !== said) await recovery.note('looked', told, { verdict, details: { ...verdict } });
    said = told;
    const clear = settled(recovery, verdict);
    if (clear !== undefined) return clear;
    if (ctx.now() >= deadline) {
      if (verdict.verdict === 'hung' && rules.hung === 'fence') return hungByPolicy(recovery, verdict);
      return askWhetherLost(recovery, verdict);
    }
    await ctx.sleep(rules.askEverySeconds * 1000, 'ask the vantage points again');
  }
}

/** Undefined while nothing is clear. */
function settled(recovery: Recovery, { verdict, says, testimonies }: Verdict): Ending | null | undefined {
  if (recovery.resolved !== null)
    return { state: 'false-alarm', says: `a false alarm: ${recovery.resolved}` };
  if (verdict === 'alive') return { state: 'false-alarm', says: `a false alarm: ${says}` };
  if (verdict !== 'down') return undefined;
  recovery.silentSince ??= firstOf(testimonies, recovery);
  return null;
}

/** The earliest: a watchdog that was armed runs since then at the latest. */
const firstOf = (testimonies: Verdict['testimonies'], { ctx }: Recovery): string =>
  testimonies.map(({ at }) => at).toSorted()[0] ?? new Date(ctx.now()).toISOString();

async function hungByPolicy(recovery: Recovery, { says }: Verdict): Promise<null> {
  const long = recovery.opened.rules.confirmSeconds;
  await recovery.note('decided', `still so after ${long} s: fenced, as recovery.hung says (${says})`);
  return null;
}

async function askWhetherLost(recovery: Recovery, { verdict, says }: Verdict): Promise<Ending | null> {
  const { host } = recovery;
  const question: Question = {
    says:
      verdict === 'hung'
        ? `${host} hangs: ${says}. Its guests may well run; to recover it cuts them off first`
        : `it is not clear whether ${host} is lost: ${says}`,
    answers: {
      approve: `${host} is taken for lost: it is fenced, and its instances are brought back elsewhere`,
      reject: `${host} is left alone`,
    },
    admin: ['approve'],
    wakes: () => recovery.resolved !== null,
  };
  const answer = await ask(recovery, question, async () => {
    const clear = settled(recovery, await look(recovery));
    return clear === undefined ? null : { clear };
  });
  if ('clear' in answer) return answer.clear;
  if (answer.action === 'reject') return rejected(recovery, answer);
  recovery.approvedBy = answer.by;
  return null;
}

export function rejected(
  { host }: Recovery,
  { by, comment }: { by: string; comment: string | null },
): Ending {
  const says = `${by} rejected it${comment === null ? '' : `: ${comment}`}; ${host} is left alone`;
  return { state: 'not-fenced', says, error: new DroverError('Rejected', says) };
}
