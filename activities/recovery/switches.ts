/** What recoveries may do now, for the fleet and for each zone. Every turn of a switch is a row, and stays: who, when, why. */
import { DroverError } from '../../model/errors.js';
import { recoveryModes, type RecoveryMode, type RecoverySwitch } from '../../model/incident.js';
import { read, transact, type Inventory, type Trx } from '../inventory/database.js';
import { requireHost } from '../inventory/hosts.js';
import { suggestion } from '../inventory/no-such.js';
import type { RecoverySwitchesTable } from '../inventory/schema-recovery.js';

type Clock = Pick<Inventory, 'now'>;

export interface Turn {
  /** null for the fleet. */
  zone: string | null;
  mode: RecoveryMode;
  reason: string;
  by: string;
  /** null: until it is turned again. */
  forSeconds: number | null;
}

export interface Switches {
  fleet: RecoverySwitch;
  zones: RecoverySwitch[];
  /** All turns, the newest first. */
  history: RecoverySwitch[];
}

/** The stricter of the switches of the fleet and of the host's zone. */
export const recoveryMode = (
  inventory: Inventory,
  { host }: { host: string },
): Promise<{ mode: RecoveryMode; says: string }> =>
  read(inventory, async (db) => modeOf(db, inventory, (await requireHost(db, host)).zone));

export async function modeOf(
  db: Trx,
  clock: Clock,
  zone: string | null,
): Promise<{ mode: RecoveryMode; says: string }> {
  const rows = await turns(db);
  const fleet = holding(rows, '', clock);
  const ofZone = zone === null ? undefined : holding(rows, zone, clock);
  const strict = [fleet, ofZone]
    .filter((one) => one !== undefined)
    .toSorted((one, other) => strictness(other.mode) - strictness(one.mode));
  const [first] = strict;
  return first === undefined
    ? { mode: 'armed', says: 'armed: no switch was turned' }
    : { mode: first.mode, says: switchText(first) };
}

/** In the words of status and of an incident's log. */
export function switchText({ zone, mode, reason, by, at, until }: RecoverySwitch): string {
  const what = `${zone === null ? 'the fleet' : `zone ${zone}`} is ${words[mode]}`;
  return `${what}${until === null ? '' : ` until ${until}`} by ${by} at ${at}: ${reason}`;
}

const words: Record<RecoveryMode, string> = {
  armed: 'armed',
  manual: 'in manual mode (a person approves each fence)',
  dry: 'in dry mode (nothing is fenced or evacuated)',
  disarmed: 'disarmed',
};

export async function turnSwitch(
  inventory: Inventory,
  { zone, mode, reason, by, forSeconds }: Turn,
): Promise<RecoverySwitch> {
  return transact(inventory, async (trx) => {
    if (zone !== null) await requireZone(trx, zone);
    const at = inventory.now();
    const until = forSeconds === null ? null : new Date(Date.parse(at) + forSeconds * 1000).toISOString();
    const last = await trx
      .selectFrom('recovery_switches')
      .select((e) => e.fn.max('seq').as('seq'))
      .executeTakeFirst();
    const row = { seq: (last?.seq ?? 0) + 1, zone: zone ?? '', mode, reason, by, at, until };
    await trx.insertInto('recovery_switches').values(row).execute();
    return switchOf(row);
  });
}

/** What holds now, for the fleet and each zone that there is or that was turned once. */
export const readSwitches = (inventory: Inventory): Promise<Switches> =>
  read(inventory, async (db) => {
    const rows = await turns(db);
    const hosts = await db.selectFrom('hosts').select('zone').distinct().execute();
    const zones = new Set([...hosts.map(({ zone }) => zone ?? ''), ...rows.map(({ zone }) => zone)]);
    zones.delete('');
    const of = (zone: string): RecoverySwitch => holding(rows, zone, inventory) ?? neverTurned(zone);
    return {
      fleet: of(''),
      zones: [...zones].toSorted().map(of),
      history: rows.map(switchOf),
    };
  });

/**
 * The newest turn that is not over: one with an end covers the one before it, which holds again after. Armed is
 * the end of all before.
 */
function holding(rows: RecoverySwitchesTable[], zone: string, clock: Clock): RecoverySwitch | undefined {
  const now = clock.now();
  const row = rows.find((one) => one.zone === zone && (one.until === null || one.until > now));
  return row && switchOf(row);
}

const turns = (db: Trx): Promise<RecoverySwitchesTable[]> =>
  db.selectFrom('recovery_switches').selectAll().orderBy('seq', 'desc').execute();

const strictness = (mode: RecoveryMode): number => recoveryModes.indexOf(mode);

const switchOf = ({ zone, mode, reason, by, at, until }: RecoverySwitchesTable): RecoverySwitch => ({
  zone: zone || null,
  mode,
  reason,
  by,
  at,
  until,
});

const neverTurned = (zone: string): RecoverySwitch => ({
  zone: zone || null,
  mode: 'armed',
  reason: 'no switch was turned',
  by: '',
  at: '',
  until: null,
});

/** A mistyped zone would leave the right one armed. */
async function requireZone(trx: Trx, zone: string): Promise<void> {
  const rows = await trx.selectFrom('hosts').select('zone').distinct().execute();
  const zones = rows.flatMap((row) => row.zone ?? []).toSorted();
  if (zones.includes(zone)) return;
  throw new DroverError('NotFound', `there is no zone "${zone}"${suggestion(zone, zones)}`, {
    details: { zone, zones },
    hint: 'hosts name theirs in `drover host list`; `drover host set HOST --zone` says it',
  });
}
