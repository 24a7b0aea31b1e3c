/** The evidence is verified again before each batch of starts: what was off may be on by now. */
import type { Answer } from '../../activities/types.js';
import type { Evidence, Verdict } from '../../model/incident.js';
import { ask, type Given } from './asks.js';
import { byWord } from './fence.js';
import { look } from './look.js';
import type { Recovery } from './recovery.js';
import { endSecondCopies } from './second-copies.js';

/** False where the host is not proven to be off any more, and a person rather leaves its instances where they are. */
export async function verify(recovery: Recovery): Promise<boolean> {
  const { ctx, evidence } = recovery;
  // Evidence and its witness are as fresh as they can be.
  if (ctx.now() - recovery.provenAt < fresh) return true;
  for (;;) {
    const against = await contradicted(recovery);
    if (against === null) break;
    const answer = await withdraw(recovery, against);
    if ('readmitted' in answer) return false;
    if ('again' in answer) break;
    if (answer.action === 'reject') return false;
    const word = await byWord(recovery, answer);
    if (word === null) continue;
    await recovery.hold(word);
    return true;
  }
  if (!recovery.held && evidence !== null) await recovery.hold(evidence);
  recovery.provenAt = ctx.now();
  return true;
}

const fresh = 15_000;

/** `lives`: a sign of life. What proved it off until then proves nothing any more. */
interface Contradiction {
  says: string;
  lives: boolean;
}

async function withdraw(
  recovery: Recovery,
  { says, lives }: Contradiction,
): Promise<Given | { again: true } | { readmitted: true }> {
  const { host, evidence } = recovery;
  if (await isReadmitted(recovery, says)) return { readmitted: true };
  recovery.held = false;
  const devices = devicesOf(evidence);
  if (lives && devices.length > 0) await recovery.distrust(devices, says);
  const question = {
    says: `the evidence is withdrawn: ${says}. Nothing more is started elsewhere; look at ${host}, cut its power, and say so`,
    answers: {
      attest: `${host} is off by your word; the rest of its instances is brought back elsewhere`,
      reject: `it ends here; ${host} is quarantined until it is readmitted`,
    },
    admin: ['attest'] as const,
  };
  return ask(recovery, question, async () => {
    // Whoever looked at it, and found it well, may have taken it back instead of answering.
    if (await isReadmitted(recovery, says)) return { readmitted: true as const };
    return !lives && (await contradicted(recovery)) === null ? { again: true as const } : null;
  });
}

async function isReadmitted(recovery: Recovery, says: string): Promise<boolean> {
  const { ctx, id: incident, host } = recovery;
  const { readmitted } = await ctx.call('withdrawFence', { incident, host, says });
  if (readmitted) recovery.readmitted = true;
  return readmitted;
}

const devicesOf = (evidence: Evidence | null): string[] =>
  evidence?.kind === 'power-off' ? (evidence.device?.split(' and ') ?? []) : [];

/** What speaks against the evidence now; null where nothing does. A host that was switched on is switched off again. */
async function contradicted(recovery: Recovery): Promise<Contradiction | null> {
  const [power, seen] = await Promise.all([powerNow(recovery), look(recovery)]);
  if (power.on.length > 0) {
    const still = await offAgain(recovery, power.on);
    return still === null ? signOfLife(await look(recovery)) : { says: still, lives: false };
  }
  const life = signOfLife(seen);
  if (life !== null) return endSecondCopies(recovery, life);
  // A device that says nothing now has said off: that nobody sees the host either is enough, less is not.
  if (power.silent.length === 0 || seen.verdict === 'down') return null;
  return { says: `${power.silent.join(' and ')}, and ${seen.says}`, lives: false };
}

const signOfLife = ({ verdict, says }: Verdict): Contradiction | null =>
  verdict === 'alive' || verdict === 'hung' ? { says, lives: true } : null;

interface Power {
  on: string[];
  silent: string[];
}

async function powerNow({ ctx, evidence, ref, opened }: Recovery): Promise<Power> {
  const power: Power = { on: [], silent: [] };
  const said = await Promise.all(
    devicesOf(evidence).map(async (device) => {
      const order = { host: ref, device, systemUuid: opened.host.systemUuid };
      return { device, ...(await ctx.call('fenceStatus', order)) };
    }),
  );
  for (const { device, answer } of said) {
    if (!answer.ok) power.silent.push(`${device} does not tell (${answer.error})`);
    else if (answer.power === 'on') power.on.push(device);
  }
  return power;
}

async function offAgain(recovery: Recovery, devices: string[]): Promise<string | null> {
  const { ctx, id: incident, ref, host, opened } = recovery;
  await recovery.note('fencing', `${host} was switched on (${devices.join(' and ')}): off again`);
  for (const device of devices) {
    const order = { host: ref, device, systemUuid: opened.host.systemUuid, incident };
    const { answer }: Answer<'fenceOff'> = await ctx.call('fenceOff', order);
    if (!answer.ok) return `${host} was switched on, and ${device} does not cut it off: ${answer.error}`;
    if (answer.power !== 'off') return `${host} was switched on, and ${device} says ${answer.power} still`;
  }
  await recovery.note('fencing', `${devices.join(' and ')}: off`);
  return null;
}
