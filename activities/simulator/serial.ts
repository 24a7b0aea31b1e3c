import { DroverError } from '../../model/errors.js';
import type { Tx } from './database.js';
import { guestBootMs, isOn, type GuestRow } from './guests.js';

const logDirectory = '/var/log/libvirt';
const limitBytes = 1024 ** 2;
/** Ticks that are told: a log that grew for days is told by its end. */
const ticks = 1_000;

/** The end of a guest's serial log: its boots, and a tick for each second that it has run. */
export function serialText(
  tx: Tx,
  host: string,
  { path, tailBytes }: { path: string; tailBytes: number },
): { text: string; bytes: number } {
  if (!path.startsWith(`${logDirectory}/`)) {
    throw new DroverError('Unsupported', `${path} is not below ${logDirectory}`);
  }
  const guest = tx.one<GuestRow>('select * from guests where host = ? and serial_log = ?', host, path);
  if (guest === undefined) throw new DroverError('NotFound', `there is no ${path}`);
  const text = Buffer.from(linesOf(tx, guest).join(''), 'utf8');
  const wanted = Math.floor(Math.min(Math.max(tailBytes, 0), limitBytes, text.length));
  return { text: text.subarray(text.length - wanted).toString('utf8'), bytes: text.length };
}

function linesOf(tx: Tx, guest: GuestRow): string[] {
  const { name, boots, booted_at: bootedAt } = guest;
  const earlier = Array.from(
    { length: Math.max(0, boots - 1) },
    (_, index) => `boot ${index + 1} of ${name}\n`,
  );
  if (bootedAt === null || !isOn(guest))
    return [...earlier, ...(boots > 0 ? [`boot ${boots} of ${name}\n`] : [])];
  const seconds = Math.max(0, Math.floor((tx.now - bootedAt - guestBootMs) / 1000));
  const told = Array.from(
    { length: Math.min(seconds, ticks) },
    (_, index) => `tick ${seconds - Math.min(seconds, ticks) + index + 1}\n`,
  );
  return [...earlier, `boot ${boots} of ${name} at ${new Date(bootedAt).toISOString()}\n`, ...told];
}
