/** The evidence is verified again before each batch of starts: what was off may be on by now. */
import type { Answer } from '../../activities/types.js';
import { ask } from './asks.js';
import { look } from './look.js';
import type { Recovery } from './recovery.js';

/** False where the host is not proven to be off any more, and a person rather leaves its instances where they are. */
export async function verify(recovery: Recovery): Promise<boolean> {
  const contradiction = await contradicted(recovery);
  if (contradiction === null) return true;
  const { ctx, id: incident, host, evidence } = recovery;
  await ctx.call('withdrawFence', { incident, host, says: contradiction });
  const answer = await ask(
    recovery,
    {
      says: `the evidence is withdrawn: ${contradiction}. Nothing more is started elsewhere; look at ${host}, cut its power, and say so`,
      answers: {
        attest: `${host} is off by your word; the rest of its instances is brought back elsewhere`,
        reject: `it ends here; ${host} is quarantined until it is readmitted`,
      },
      admin: ['attest'],
    },
    async () => ((await contradicted(recovery)) === null ? { again: true as const } : null),
  );
  if ('again' in answer) {
    if (evidence !== null) await recovery.hold(evidence);
    return true;
  }
  if (answer.action === 'reject') return false;
  const says = `${answer.by} says that it is off${answer.comment === null ? '' : `: ${answer.comment}`}`;
  const at = new Date(ctx.now()).toISOString();
  await recovery.hold({ kind: 'attested', at, says, device: null, verified: false, by: answer.by });
  return true;
}

/** What speaks against the evidence now; null where nothing does. A host that was switched on is switched off again. */
async function contradicted(recovery: Recovery): Promise<string | null> {
  const [power, { verdict, says }] = await Promise.all([powerNow(recovery), look(recovery)]);
  if (power.on.length > 0) {
    const still = await offAgain(recovery, power.on);
    if (still !== null) return still;
    const { verdict: then, says: told } = await look(recovery);
    return then === 'alive' || then === 'hung' ? told : null;
  }
  if (verdict === 'alive' || verdict === 'hung') return says;
  // A device that says nothing now has said off: that nobody sees the host either is enough, less is not.
  if (power.silent.length > 0 && verdict !== 'down') return `${power.silent.join(' and ')}, and ${says}`;
  return null;
}

interface Power {
  on: string[];
  silent: string[];
}

async function powerNow({ ctx, evidence, ref, opened }: Recovery): Promise<Power> {
  const power: Power = { on: [], silent: [] };
  if (evidence?.kind !== 'power-off') return power;
  const asked = evidence.device?.split(' and ') ?? [];
  const said = await Promise.all(
    asked.map(async (device) => {
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
