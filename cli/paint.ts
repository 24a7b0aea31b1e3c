/** Colours, where somebody looks: NO_COLOR is kept, and a pipe gets none. */
import pico from 'picocolors';

// FORCE_COLOR is for logs that show colours; NO_COLOR wins over everything (no-color.org).
const wanted =
  !process.env['NO_COLOR'] &&
  (Boolean(process.env['FORCE_COLOR']) || (process.stdout.isTTY && process.stderr.isTTY));

export const paint = pico.createColors(wanted);

/** States in the colour that tells whether to look closer. */
export function paintState(state: string): string {
  if (['active', 'up', 'succeeded', 'done', 'ok', 'adopted'].includes(state)) return paint.green(state);
  if (
    ['error', 'failed', 'unknown', 'terminated', 'cancelled', 'refused', 'fenced', 'quarantined'].includes(
      state,
    )
  )
    return paint.red(state);
  if (['running', 'building', 'paused', 'warning'].includes(state)) return paint.yellow(state);
  return state;
}
