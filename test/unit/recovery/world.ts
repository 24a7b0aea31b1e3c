/** An inventory whose clock stands where the test puts it, with incidents as a recovery writes them. */
import type { RecoveryDeps } from '../../../activities/recovery/deps.js';
import { transact } from '../../../activities/inventory/database.js';
import { recordProbe } from '../../../activities/inventory/hosts.js';
import { defaultRecoveryRules, type RecoveryRules } from '../../../model/recovery.js';
import { makeWorld, type World } from '../inventory/world.js';

export interface RecoveryWorld extends World {
  clock: { at: number };
  rules(more?: Partial<RecoveryRules>): RecoveryDeps;
  silent(...hosts: string[]): Promise<void>;
  set(host: string, columns: Record<string, string | number | null>): Promise<void>;
  incident(
    id: string,
    host: string,
    more?: { domain?: string; takenAt?: string; endedAt?: string },
  ): Promise<void>;
}

export async function recoveryWorld(): Promise<RecoveryWorld> {
  const world = await makeWorld();
  const clock = { at: Date.UTC(2026, 10, 1, 12) };
  const inventory = { ...world.inventory, now: () => new Date(clock.at).toISOString() };
  return {
    ...world,
    inventory,
    clock,
    rules: (more = {}) => ({ inventory, rules: { ...defaultRecoveryRules, ...more } }),
    async silent(...hosts) {
      for (const name of hosts) await recordProbe(inventory, name, { up: false, reason: 'no answer' });
    },
    async set(host, columns) {
      await transact(inventory, (trx) =>
        trx.updateTable('hosts').set(columns).where('name', '=', host).execute(),
      );
    },
    async incident(id, host, { domain = '', takenAt, endedAt } = {}) {
      await transact(inventory, (trx) =>
        trx
          .insertInto('incidents')
          .values({
            id,
            host,
            domain,
            state: 'confirming',
            by: 'ann',
            reason: 'test',
            workflow_id: `lab/recovery/${host}`,
            instances: '[]',
            fence_taken_at: takenAt ?? null,
            opened_at: inventory.now(),
            ended_at: endedAt ?? null,
          })
          .execute(),
      );
    },
  };
}
