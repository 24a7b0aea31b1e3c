import type { Migration } from 'kysely';
import { inventory } from './0001-inventory.js';
import { runs } from './0002-runs.js';
import { maintenance } from './0003-maintenance.js';
import { moves } from './0004-moves.js';
import { placement } from './0005-placement.js';
import { recovery } from './0006-recovery.js';
import { access } from './0007-access.js';
import { outside } from './0008-outside.js';
import { notices } from './0009-notices.js';

/** All migrations by name, in their order. A static list: no folder is read at run time. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-inventory': inventory,
  '0002-runs': runs,
  '0003-maintenance': maintenance,
  '0004-moves': moves,
  '0005-placement': placement,
  '0006-recovery': recovery,
  '0007-access': access,
  '0008-outside': outside,
  '0009-notices': notices,
};
