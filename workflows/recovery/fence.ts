/**
 * Makes sure that the host is off, by the strongest means that there is: its fence devices by level, then the time of a
 * watchdog or lease that was armed before, then the word of a person. Whatever fails leads to the next rung, and is told.
 */
import type { Answer } from '../../activities/types.js';
import { isBound } from '../../model/fence-check.js';
import type { Evidence } from '../../model/incident.js';
import { ask, type Given } from './asks.js';
import { rejected } from './confirm.js';
import { look } from './look.js';
import type { Ending, Recovery } from './recovery.js';
import { witnessed } from './witness.js';

type Fenced = { evidence: Evidence } | { ending: Ending };

export async function fence(recovery: Recovery): Promise<Fenced> {
  await recovery.disable();
  await recovery.note('fencing', `${recovery.host} takes no new instances; it is cut off now`, {
    state: 'fencing',
  });
  const first = (await byDevices(recovery)) ?? (await bySelf(recovery));
  return first ?? askForEvidence(recovery);
}

/** All devices of a level must do it; the next level where one does not, or where a second witness contradicts. */
async function byDevices(recovery: Recovery): Promise<Fenced | null> {
  const { ctx, host, ref } = recovery;
  const { devices } = await ctx.call('fenceDevices', { host: ref });
  if (devices.length === 0) {
    await recovery.note('fencing', `${host} has no fence device`);
    return null;
  }
  const levels = [...new Set(devices.map(({ level }) => level))].toSorted((one, other) => one - other);
  for (const level of levels) {
    const names = devices.filter((device) => device.level === level).map(({ name }) => name);
    if (names.some((name) => recovery.distrusted.has(name))) continue;
    const proof = await byLevel(recovery, names);
    if (proof === null) continue;
    const contradiction = await witnessed(recovery);
    if (contradiction === null) return { evidence: proof };
    await recovery.distrust(names, contradiction);
  }
  return null;
}

type Off = Answer<'fenceOff'>;

async function byLevel(recovery: Recovery, names: string[]): Promise<Evidence | null> {
  const { ctx } = recovery;
  const said = await Promise.all(
    names.map(async (device) => ({ device, off: await cutOff(recovery, device) })),
  );
  const failed = said.filter(({ off }) => !isOff(off));
  if (failed.length > 0) return null;
  const verified = said.every(({ off }) => off.binding.binding === 'same');
  const device = names.join(' and ');
  const whose = verified
    ? 'its own by its system UUID'
    : 'whose it is only its configuration says: trust_binding';
  const says = `${device} says off (${whose})`;
  return { kind: 'power-off', at: new Date(ctx.now()).toISOString(), says, device, verified, by: null };
}

const isOff = ({ binding, answer }: Off): boolean => answer.ok && answer.power === 'off' && isBound(binding);

/** Twice where a device may be away for a moment. */
async function cutOff(recovery: Recovery, device: string): Promise<Off> {
  const { ctx, id: incident, ref, opened } = recovery;
  const order = { host: ref, device, systemUuid: opened.host.systemUuid, incident };
  recovery.cut = true;
  let off = await ctx.call('fenceOff', order);
  if (!off.answer.ok && ['unreachable', 'failed'].includes(off.answer.why)) {
    await tell(recovery, device, off);
    await ctx.sleep(againAfter, `ask ${device} again`);
    off = await ctx.call('fenceOff', order);
  }
  await tell(recovery, device, off);
  return off;
}

const againAfter = 3000;

async function tell(recovery: Recovery, device: string, { binding, answer }: Off): Promise<void> {
  const power = answer.ok ? `${device}: off was asked for, and it says ${answer.power}` : answer.error;
  // Of one that does not answer only the error says something.
  const whose = binding.binding === 'same' || !answer.ok ? '' : ` (${binding.says})`;
  await recovery.note('fencing', `${power}${whose}`, { details: { device, binding, answer } });
}

/** The host's own watchdog or lease, armed before the outage as recorded then: its time is waited for. */
async function bySelf(recovery: Recovery): Promise<Fenced | null> {
  const { ctx, host } = recovery;
  const silentSince = recovery.silentSince ?? new Date(ctx.now()).toISOString();
  for (;;) {
    const { evidence, inSeconds, says } = await ctx.call('watchdogEvidence', { host, silentSince });
    await recovery.note('fencing', says);
    if (evidence === null && inSeconds === null) return null;
    if (evidence === null) {
      await ctx.sleep(Math.max(1, inSeconds ?? 0) * 1000, 'the time of its watchdog or lease');
      continue;
    }
    const contradiction = await witnessed(recovery);
    if (contradiction === null) return { evidence };
    await recovery.note('fencing', `that does not count: ${contradiction}`);
    return null;
  }
}

/** Nothing proves it: a person is asked, and meanwhile all is tried again, ever less often. */
async function askForEvidence(recovery: Recovery): Promise<Fenced> {
  const { host } = recovery;
  for (;;) {
    const answer = await ask(
      recovery,
      {
        says: `nothing proves that ${host} is off: look at it yourself, cut its power, and say so`,
        answers: {
          attest: `${host} is off by your word; its instances are brought back elsewhere`,
          reject: `it ends here; ${host} stays disabled, its instances where they are`,
        },
        admin: ['attest'],
      },
      async (): Promise<Fenced | null> => {
        const verdict = await look(recovery);
        if (verdict.verdict === 'alive')
          return { ending: { state: 'false-alarm', says: `${host} answers again: ${verdict.says}` } };
        return (await byDevices(recovery)) ?? (await bySelf(recovery));
      },
    );
    if (!('action' in answer)) return answer;
    if (answer.action === 'reject') return { ending: { ...rejected(recovery, answer), state: 'failed' } };
    const evidence = await byWord(recovery, answer);
    if (evidence !== null) return { evidence };
  }
}

/** What a person attests. A person errs as a device does, and two writers on one disk would be the price. */
export async function byWord(recovery: Recovery, { by, comment }: Given): Promise<Evidence | null> {
  const contradiction = await witnessed(recovery);
  if (contradiction !== null) {
    await recovery.note('fencing', `${by} said that it is off, but ${contradiction}`);
    return null;
  }
  const says = `${by} says that it is off${comment === null ? '' : `: ${comment}`}`;
  const at = new Date(recovery.ctx.now()).toISOString();
  return { kind: 'attested', at, says, device: null, verified: false, by };
}
