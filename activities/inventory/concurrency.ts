/** One run at a time has a concurrency key. */
import { DroverError } from '../../model/errors.js';
import type { Call } from '../types.js';
import { transact, type Inventory, type Trx } from './database.js';
import { NeedsProof, withProofs, type OwnershipDeps, type Proofs } from './ownership.js';

const pollMs = 500;

/**
 * Takes the key for the run, waiting at most so many seconds for the one that has it. A run whose workflow is
 * closed can't give its key back any more: it is taken from it. A run within the run that has the key has it too.
 */
export async function takeConcurrency(
  deps: OwnershipDeps,
  { key, run, seconds }: { key: string; run: string; seconds: number },
  call: Pick<Call, 'signal' | 'heartbeat' | 'cancelRequested'>,
): Promise<{ taken: boolean; holder: string | null }> {
  const { clock } = deps.inventory;
  const deadline = clock.now() + seconds * 1000;
  for (;;) {
    const holder = await withProofs(deps, (trx, proofs) => take({ deps, trx, proofs, key, run }));
    if (holder === null) return { taken: true, holder: null };
    if (clock.now() >= deadline) return { taken: false, holder };
    call.heartbeat({ phase: 'waiting', holder });
    await clock.sleep(Math.min(pollMs, deadline - clock.now()), call.signal);
    if (!call.signal.aborted) continue;
    if (call.cancelRequested())
      throw new DroverError('Cancelled', `cancelled while waiting for run ${holder}`);
    const message = `stopped waiting for run ${holder}; the next attempt goes on`;
    throw new DroverError('Internal', message, { cause: call.signal.reason });
  }
}

export async function releaseConcurrency(inventory: Inventory, { run }: { run: string }): Promise<void> {
  await transact(inventory, (trx) => trx.deleteFrom('run_concurrency').where('run', '=', run).execute());
}

interface Taking {
  deps: OwnershipDeps;
  trx: Trx;
  proofs: Proofs;
  key: string;
  run: string;
}

/** The run that has the key instead; null when it is ours now. */
async function take({ deps, trx, proofs, key, run }: Taking): Promise<string | null> {
  const found = await trx.selectFrom('run_concurrency').selectAll().where('key', '=', key).executeTakeFirst();
  if (found !== undefined && found.run !== run) {
    if (await isWithin(trx, run, found.run)) return null;
    const workflow = found.workflow_id;
    if (workflow === null || proofs.open.has(workflow)) return found.run;
    if (!proofs.ended.has(workflow)) {
      throw new NeedsProof(async (known) => {
        ((await deps.isOpen(workflow)) ? known.open : known.ended).add(workflow);
      });
    }
  }
  const row = { run, workflow_id: deps.currentRun()?.workflowId ?? null, taken_at: deps.inventory.now() };
  await trx
    .insertInto('run_concurrency')
    .values({ key, ...row })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
    .execute();
  return null;
}

async function isWithin(trx: Trx, run: string, ancestor: string): Promise<boolean> {
  let current: string | null = run;
  while (current !== null) {
    const row: { parent_run: string | null } | undefined = await trx
      .selectFrom('runs')
      .select('parent_run')
      .where('id', '=', current)
      .executeTakeFirst();
    current = row?.parent_run ?? null;
    if (current === ancestor) return true;
  }
  return false;
}
