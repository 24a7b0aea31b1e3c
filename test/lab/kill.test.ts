/**
 * On real hosts: SIGKILL of worker, Temporal and libvirtd, and loss of the target's power, at each step of the
 * operations that move a guest. DROVER_LAB_SWEEP=all: each step meets each fault (`npm run lab-sweep`).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killCases } from './kill/cases.js';
import { makeGuests, type Guest } from './kill/guests.js';
import { tellMatrix } from './kill/matrix.js';
import { rehearse, ride, type Fate } from './kill/ride.js';
import { openKillSite, type KillSite } from './kill/site.js';
import { wavesOf } from './kill/waves.js';

const all = process.env['DROVER_LAB_SWEEP'] === 'all';
const cases = killCases(all);
/** On shared storage, and as many on that of a host. */
const guestsOfEachKind = 8;

let site: KillSite;
let guests: Guest[];
beforeAll(async () => {
  site = await openKillSite();
  guests = await makeGuests(site, guestsOfEachKind);
}, 600_000);
afterAll(() => site?.close());

// No second attempt: it would begin with what the first one left.
test(
  'whatever is killed at whichever step: one guest, its disk, its room, and the truth',
  { timeout: all ? 10_800_000 : 2_400_000, retry: 0 },
  async () => {
    const waves = wavesOf(await rehearse(site, guests, cases), { all, guests: guestsOfEachKind });
    const fates: Fate[] = [];
    for (const [index, wave] of waves.entries()) {
      const began = Date.now();
      const found = await ride(site, guests, wave, index + 1);
      fates.push(...found);
      const seconds = ((Date.now() - began) / 1000).toFixed(0);
      const wrong = found.flatMap((fate) =>
        fate.met ? fate.wrong : [`not met: ${fate.told}`, ...fate.wrong],
      );
      const told = `wave ${index + 1} of ${waves.length}, ${wave[0].fault}: ${found.length} operations, ${seconds} s`;
      console.log([told, ...wrong].join('\n  '));
    }
    const holes = tellMatrix(cases, fates);
    expect(fates.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(holes).toEqual([]);
  },
);
