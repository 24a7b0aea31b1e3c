import type { RecoveryRules } from '../../model/recovery.js';
import type { Clock } from '../clock.js';
import type { Inventory } from '../inventory/database.js';
import type { CutDeps } from './return-cut.js';

/** What the rules around a recovery need: the inventory, and what drover.yaml says. */
export interface RecoveryDeps {
  inventory: Inventory;
  rules: RecoveryRules;
}

/** What takes a host back needs. `hypervisor`: not the one that refuses fenced hosts, these are what it is for. */
export interface ReturnDeps extends CutDeps {
  clock?: Clock;
  pollMs?: number;
}
