import type { RecoveryRules } from '../../model/recovery.js';
import type { Inventory } from '../inventory/database.js';

/** What the rules around a recovery need: the inventory, and what drover.yaml says. */
export interface RecoveryDeps {
  inventory: Inventory;
  rules: RecoveryRules;
}
