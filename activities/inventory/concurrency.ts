/** One run at a time has a concurrency key; those who wait for it get it in the order in which they came. */
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
    const waits = clock.now() < deadline;
    const holder = await withProofs(deps, (trx, proofs) => take({ deps, trx, proofs, key, run, waits }));
    if (holder === null) return { taken: true, holder: null };
    const giveUp = () => transact(deps.inventory, (trx) => dropTicket(trx, key, run));
    if (!waits) {
      await giveUp();
      return { taken: false, holder };
    }
    call.heartbeat({ phase: 'waiting', holder });
    await clock.sleep(Math.min(pollMs, deadline - clock.now()), call.signal);
    if (!call.signal.aborted) continue;
    if (call.cancelRequested()) {
      await giveUp();
      throw new DroverError('Cancelled', `cancelled while waiting for run ${holder}`);
    }
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
  /** It comes again while it does not get it. */
  waits: boolean;
}

interface Row {
  run: string;
  workflow_id: string | null;
}

/** The run that has the key instead, or that is to have it before; null when it is ours now. */
async function take(taking: Taking): Promise<string | null> {
  const { deps, trx, key, run, waits } = taking;
  const found = await trx.selectFrom('run_concurrency').selectAll().where('key', '=', key).executeTakeFirst();
  const other = found !== undefined && found.run !== run;
  if (other && (await isWithin(trx, run, found.run))) return null;
  const before = other && (await isOpen(taking, found)) ? found.run : await firstBefore(taking);
  const row = { run, workflow_id: deps.currentRun()?.workflowId ?? null, taken_at: deps.inventory.now() };
  const insert = trx.insertInto('run_concurrency');
  if (before === null) {
    await dropTicket(trx, key, run);
    await insert
      .values({ key, ...row })
      .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
      .execute();
  } else if (waits) {
    const ticket = ticketOf(key, run);
    await insert
      .values({ key: ticket, ...row })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
  }
  return before;
}

/** A run whose workflow is closed neither has a key nor waits for one. */
async function isOpen({ deps, proofs }: Taking, { workflow_id: workflow }: Row): Promise<boolean> {
  if (workflow === null || proofs.open.has(workflow)) return true;
  if (proofs.ended.has(workflow)) return false;
  throw new NeedsProof(async (known) => {
    ((await deps.isOpen(workflow)) ? known.open : known.ended).add(workflow);
  });
}

/**
 * Whoever waits for a key has a ticket: a row beside that of the key, which goes with all that its run has. A new line
 * is in no key that somebody writes on one.
 */
const ticketOf = (key: string, run: string): string => `${key}\n${run}`;

const dropTicket = (trx: Trx, key: string, run: string): Promise<unknown> =>
  trx.deleteFrom('run_concurrency').where('key', '=', ticketOf(key, run)).execute();

/** The first of those who wait since longer than we do. */
async function firstBefore(taking: Taking): Promise<string | null> {
  const { trx, key, run } = taking;
  const tickets = await trx
    .selectFrom('run_concurrency')
    .selectAll()
    .where('key', '>=', ticketOf(key, ''))
    .where('key', '<', `${key}\u000b`)
    .orderBy('taken_at')
    .orderBy('run')
    .execute();
  for (const ticket of tickets) {
    if (ticket.run === run) return null;
    if (await isOpen(taking, ticket)) return ticket.run;
    await dropTicket(trx, key, ticket.run);
  }
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
