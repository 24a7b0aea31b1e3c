/** One wave: operations are begun and held at their steps, one blow falls, all is mended, and every end is judged. */
import { execa } from 'execa';
import { until } from '../../temporal/helpers.js';
import { migrating } from '../world.js';
import type { KillCase } from './cases.js';
import { hasSides, mend, strike } from './faults.js';
import { counting, gather, rowOf, settled, type Guest } from './guests.js';
import { wrongInTheDark, wrongWith, type Struck } from './judge.js';
import { hosts, type KillSite } from './site.js';
import type { Doomed, Known, Wave } from './waves.js';

export interface Fate {
  row: string;
  fault: string;
  /** What was done to it where, and how it ended. */
  told: string;
  /** It was at its step when the blow fell. */
  met: boolean;
  end: string;
  wrong: string[];
}

/** Slow enough that its middle is long, in MiB a second. */
const slowly = 2;
const heldWithinMs = 120_000;
const endWithinMs = 300_000;

const other = (host: string): string => (host === hosts[0] ? hosts[1] : hosts[0]);

/** Every case once, all at a time, and nothing happens to them: what their steps are. */
export async function rehearse(site: KillSite, guests: readonly Guest[], cases: KillCase[]): Promise<Known> {
  const known = await Promise.all(
    handedOut(guests, cases).map(async ({ it: one, guest }) => {
      const begun = await beginOne(site, one, guest);
      const end = await site.end(guest.id);
      if (end !== 'done') throw new Error(`${one.row}, which nothing disturbs, ended ${end}`);
      const sides = new Map([
        [begun.source, 'source' as const],
        [begun.target, 'target' as const],
      ]);
      const steps = await site.steps(guest.id);
      return { one, steps: steps.map(({ name, host }) => ({ name, on: sides.get(host ?? '') ?? null })) };
    }),
  );
  await gather(site, guests, null);
  return known;
}

/** Each its own guest, with a disk of its kind. */
function handedOut<T extends { disk: Guest['disk'] }>(guests: readonly Guest[], to: readonly T[]) {
  const free = [...guests];
  return to.map((it) => {
    const at = free.findIndex(({ disk }) => disk === it.disk);
    const [guest] = at < 0 ? [] : free.splice(at, 1);
    if (!guest) throw new Error(`not enough guests with a ${it.disk} disk`);
    return { it, guest };
  });
}

async function beginOne(site: KillSite, one: KillCase, guest: Guest, more: Record<string, unknown> = {}) {
  const { host, memoryMiB } = await rowOf(site, guest);
  const source = host ?? '';
  const target = other(source);
  const before = await counting(site, guest, source);
  const input = { ...one.input({ target, memoryMiB }), ...more };
  return { guest, one, source, target, before, request: await site.begin(one.operation, guest.id, input) };
}

type Begun = Struck & { doomed: Doomed };

export async function ride(
  site: KillSite,
  guests: readonly Guest[],
  wave: Wave,
  number: number,
): Promise<Fate[]> {
  const { fault } = wave[0];
  const { world, board } = site;
  await gather(site, guests, hasSides(fault) ? await mostAreOn(site, guests) : null);
  const begun = await begin(site, guests, wave, number);
  const met = await Promise.all(begun.map((each) => isAtItsStep(site, each, number)));
  const first = begun.at(0);
  if (!first) return [];
  const { source, target } = first;
  const blow = { fault, source, target, onHosts: heldByHosts(begun) };
  await strike(world, blow);
  board.release(number);
  await mend(world, blow);
  await hurry(site, begun);
  await Promise.all(begun.map(async (each) => (each.end = await endOf(site, each))));
  let dark: string[][] = [];
  if (fault === 'power of target') {
    dark = await Promise.all(begun.map((each) => wrongInTheDark(site, each)));
    await world.lab.boot(target);
  }
  const open = await settled(site, guests, 120_000);
  const wrong = await Promise.all(
    begun.map(async (each) => (open.length > 0 ? aboutIt(open, each, guests) : wrongWith(site, each))),
  );
  return begun.map((each, index) => {
    const told = `${each.one.row}, ${fault}, ${each.doomed.position} ${each.doomed.told}, ended ${each.end}`;
    return {
      row: each.one.row,
      fault,
      told,
      met: met[index] ?? false,
      end: each.end,
      wrong: [...(dark[index] ?? []), ...(wrong[index] ?? [])].map(
        (what) => `${told}: ${each.guest.name}: ${what}`,
      ),
    };
  });
}

/** What is said of no other guest. */
const aboutIt = (said: readonly string[], { guest }: Begun, guests: readonly Guest[]): string[] =>
  said.filter((what) => !guests.some(({ id, name }) => id !== guest.id && what.startsWith(name)));

async function mostAreOn(site: KillSite, guests: readonly Guest[]): Promise<string> {
  const rows = await Promise.all(guests.map((guest) => rowOf(site, guest)));
  const first = rows.filter(({ host }) => host === hosts[0]).length;
  return first * 2 >= rows.length ? hosts[0] : hosts[1];
}

async function begin(site: KillSite, guests: readonly Guest[], wave: Wave, number: number): Promise<Begun[]> {
  const disks = wave.map((doomed) => ({ doomed, disk: doomed.one.disk }));
  const chosen = handedOut(guests, disks).map(({ it, guest }) => ({ doomed: it.doomed, guest }));
  site.board.plan({
    wave: number,
    halts: chosen.flatMap(({ doomed: { step, position }, guest }) =>
      step === null ? [] : [{ workflowId: `lab/instance/${guest.id}`, step, position }],
    ),
  });
  return Promise.all(
    chosen.map(async ({ doomed, guest }) => {
      const { one, fault, step } = doomed;
      const begun = await beginOne(site, one, guest, step === null ? { bandwidth: slowly } : {});
      return { ...begun, doomed, fault, end: '' };
    }),
  );
}

async function isAtItsStep({ world, board }: KillSite, each: Begun, number: number): Promise<boolean> {
  const { doomed, guest, source } = each;
  try {
    if (doomed.step === null) await migrating(world.lab, guest.name, source);
    else {
      const workflowId = `lab/instance/${guest.id}`;
      await until(`${guest.name} is held`, () => board.isHeld(number, workflowId), heldWithinMs);
    }
    return true;
  } catch {
    return false;
  }
}

/** Whose own workers hold a step. */
function heldByHosts(begun: readonly Begun[]): string[] {
  return [...new Set(begun.flatMap((each) => (each.doomed.on === null ? [] : each[each.doomed.on])))];
}

/** What was slow on purpose, and still goes on, need not be slow any longer. */
async function hurry({ world }: KillSite, begun: readonly Begun[]): Promise<void> {
  for (const { doomed, guest, source } of begun) {
    if (doomed.step !== null) continue;
    const uri = await world.lab.uri(source);
    const options = { reject: false, timeout: 10_000, stdin: 'ignore' } as const;
    await execa('virsh', ['-c', uri, 'migrate-setspeed', guest.name, '8000'], options);
    // The copy of a disk is a job of its own, which libvirt does not let go faster.
    const command = ['qemu-monitor-command', guest.name, '--hmp', 'block_job_set_speed drive-virtio-disk0 0'];
    await execa('virsh', ['-c', uri, ...command], options);
  }
}

async function endOf(site: KillSite, { guest }: Begun): Promise<string> {
  const late = new Promise<string>((resolve) => setTimeout(() => resolve('never'), endWithinMs).unref());
  return Promise.race([site.end(guest.id), late]);
}
