/** What a claim takes in clouds of 100, 1,000 and 10,000 hosts, each against one of 100 in the same process. */
import { createInventoryActivities } from '../activities/inventory/activities.js';
import { transact, type Inventory } from '../activities/inventory/database.js';
import type { Call, ClaimInput } from '../activities/types.js';
import { DroverError } from '../model/errors.js';
import { alternate, timed } from './alternate.js';
import { cloudOf, hostName, instanceRow } from './cloud-of.js';
import type { Session } from './session.js';
import { compare, round, type Samples } from './statistics.js';

const sizes = [100, 1000, 10_000];
const claims = 300;
/** Refusals list every host, so they are few. */
const refusals = 20;

export async function placement(session: Session): Promise<void> {
  const small = await claimer(await cloudOf(session, 100));
  for (const hosts of sizes) {
    const large = await claimer(await cloudOf(session, hosts));
    const about = `${hosts} hosts with 20 instances each`;
    for (const [what, n] of [
      ['a launch', claims],
      ['a live migration', claims],
      ['a refusal', refusals],
    ] as const) {
      session.say(`${about}: ${what}`);
      const sides = { ours: () => large(what), baseline: () => small(what) };
      const samples = await alternate({ session: quietly(session), n, warmUp: 5, ...sides });
      const row = compare({ bench: 'placement', case: `claim of ${what}, ${about}`, unit: 'ms' }, samples);
      session.tell({ ...row, p99: p99Of(samples) });
    }
  }
}

/** Hundreds of pairs are not told one by one. */
const quietly = (session: Session): Session =>
  Object.assign(Object.create(session), { say: () => undefined });

function p99Of({ ours, baseline }: Samples): { ours: number; baseline: number; ratio: number } {
  const [one, other] = [p99(ours), p99(baseline)];
  return { ours: round(one), baseline: round(other), ratio: round(one / other) };
}

function p99(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

type What = 'a launch' | 'a live migration' | 'a refusal';

/** Claims and gives back; only the claim is timed. The inventory is a file, and each claim is on the disk when it answers. */
async function claimer(inventory: Inventory): Promise<(what: What) => Promise<number>> {
  const yes = (): Promise<boolean> => Promise.resolve(true);
  const act = createInventoryActivities({
    inventory,
    currentRun: () => null,
    isCurrentRun: yes,
    isOpen: yes,
    capabilities: new Set(),
  });
  const operation = 'the-operation';
  await transact(inventory, async (trx) => {
    const fresh = { ...instanceRow(0, null), id: 'fresh', name: 'fresh', disks: '[]' };
    await trx.insertInto('instances').values(fresh).execute();
    await trx
      .updateTable('instances')
      .set({ op_id: operation, epoch: 1 })
      .where('id', 'in', ['fresh', 'instance-0'])
      .execute();
  });
  let count = 0;
  return async (what) => {
    const moves = what === 'a live migration';
    const instance = moves ? 'instance-0' : 'fresh';
    const claim = `claim-${(count += 1)}`;
    const wanted: ClaimInput = {
      claim,
      vcpus: 2,
      memoryMiB: what === 'a refusal' ? 1_000_000 : 4096,
      host: null,
      exclude: [],
      from: moves ? hostName(0) : null,
      zone: moves ? null : 'zone-2',
      waitSeconds: 0,
    };
    const call: Call = {
      owner: { instance, operation, epoch: 1 },
      host: null,
      signal: new AbortController().signal,
      cancelRequested: () => false,
      heartbeat: () => undefined,
    };
    const took = await timed(async () => {
      const refused = await act.claimHost(wanted, call).then(() => false, isNoValidHost);
      if (refused !== (what === 'a refusal')) throw new Error(`${what}: not as expected`);
    });
    await act.releaseClaim({ claim }, call);
    return took;
  };
}

function isNoValidHost(error: unknown): true {
  if (error instanceof DroverError && error.code === 'NoValidHost') return true;
  throw error;
}
