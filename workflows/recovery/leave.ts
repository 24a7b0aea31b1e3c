/** May it be fenced? After a settling time: the switches, the storm brake, and a person where one is wanted. */
import { DroverError } from '../../model/errors.js';
import { ask } from './asks.js';
import { rejected } from './confirm.js';
import { look } from './look.js';
import type { Ending, Recovery } from './recovery.js';

/** Why it is not fenced; null where it may be. */
export async function leave(recovery: Recovery): Promise<Ending | null> {
  return (
    (await empty(recovery)) ??
    (await settle(recovery)) ??
    (await switches(recovery)) ??
    (await brake(recovery)) ??
    (await approval(recovery))
  );
}

/** Nothing is to be saved: no risk is taken with its power, nor with new instances. */
async function empty(recovery: Recovery): Promise<Ending | null> {
  const { ctx, host } = recovery;
  const { casualties } = await ctx.call('casualties', { host });
  if (casualties.some(({ skip }) => skip === null)) return null;
  if (recovery.fencedBefore)
    return { state: 'recovered', says: `${host} is recovered: nothing is left to bring back` };
  const what =
    casualties.length === 0
      ? 'no instance is'
      : `none of its ${casualties.length} instances is to be evacuated`;
  const alive = await settle(recovery);
  if (alive !== null) return alive;
  await recovery.disable();
  const closed = `it is not fenced, and takes no new instances until \`drover host enable ${host}\``;
  return { state: 'not-fenced', says: `${what} on ${host}: ${closed}`, staysClosed: true };
}

/** What fails for the same reason fails about now: it is seen, and counted, before anything is done. */
async function settle(recovery: Recovery): Promise<Ending | null> {
  const { ctx, host, opened } = recovery;
  const seconds = opened.rules.settleSeconds;
  if (seconds > 0) {
    await recovery.note('settling', `for ${seconds} s: hosts that fail for the same reason are seen`);
    await ctx.sleep(seconds * 1000, 'see what else fails');
  }
  const [{ unknown }, verdict] = await Promise.all([ctx.call('probeHosts', {}), look(recovery)]);
  const others = unknown.map((one) => one.host).filter((name) => name !== host);
  const also = others.length === 0 ? '' : `; silent, too: ${others.join(', ')}`;
  await recovery.note('looked', `${verdict.verdict}: ${verdict.says}${also}`, { verdict });
  if (verdict.verdict === 'alive') return { state: 'false-alarm', says: `a false alarm: ${verdict.says}` };
  return null;
}

async function switches(recovery: Recovery): Promise<Ending | null> {
  const { ctx, host } = recovery;
  const { mode, says } = await ctx.call('recoveryMode', { host });
  recovery.mode = mode;
  if (mode === 'disarmed') {
    const held = `recovery was disarmed meanwhile: ${says}`;
    return { state: 'not-fenced', says: held, error: new DroverError('RecoveryHeld', held) };
  }
  if (mode !== 'dry') return null;
  const { casualties } = await ctx.call('casualties', { host });
  const names = casualties.filter(({ skip }) => skip === null).map(({ name }) => name);
  const told = names.slice(0, 20).join(', ') + (names.length > 20 ? ` and ${names.length - 20} more` : '');
  return {
    state: 'not-fenced',
    says: `${says}: it would be fenced, and ${told} brought back in this order; nothing was done`,
  };
}

/** The storm brake lets it go, or a person does. */
async function brake(recovery: Recovery): Promise<Ending | null> {
  const { ctx, id: incident, host } = recovery;
  const take = () => ctx.call('takeFence', { incident, host });
  const first = await take();
  if (first.granted) return null;
  const answer = await ask(
    recovery,
    {
      says: `the storm brake holds it: ${first.says}`,
      answers: {
        approve: 'the brake is overridden for this host alone',
        reject: `${host} is left alone`,
      },
      admin: ['approve'],
    },
    async () => {
      const verdict = await look(recovery);
      if (verdict.verdict === 'alive') return { verdict };
      return (await take()).granted ? { verdict: null } : null;
    },
  );
  if ('verdict' in answer)
    return answer.verdict && { state: 'false-alarm', says: `a false alarm: ${answer.verdict.says}` };
  if (answer.action === 'reject') return rejected(recovery, answer);
  recovery.approvedBy = answer.by;
  await ctx.call('takeFence', { incident, host, approvedBy: answer.by });
  return null;
}

/** In manual mode: the evidence is in the log, and a person decides. One that decided already is not asked twice. */
async function approval(recovery: Recovery): Promise<Ending | null> {
  const { host, approvedBy, mode, log } = recovery;
  if (mode !== 'manual' || approvedBy !== null) return null;
  const seen = log.findLast(({ phase }) => phase === 'looked')?.says ?? '';
  const answer = await ask(
    recovery,
    {
      says: `in manual mode a person approves each fence (${seen})`,
      answers: {
        approve: `${host} is fenced, and its instances are brought back elsewhere`,
        reject: `${host} is left alone`,
      },
      admin: [],
    },
    async () => {
      const verdict = await look(recovery);
      return verdict.verdict === 'alive' ? { verdict } : null;
    },
  );
  if ('verdict' in answer) return { state: 'false-alarm', says: `a false alarm: ${answer.verdict.says}` };
  if (answer.action === 'reject') return rejected(recovery, answer);
  recovery.approvedBy = answer.by;
  return null;
}
