/** Turns the switches of recovery: what recoveries may do by themselves, for the fleet or a zone. */
import { turnSwitch } from '../activities/recovery/switches.js';
import { parseDuration } from '../model/duration.js';
import { DroverError } from '../model/errors.js';
import type { RecoveryMode, RecoverySwitch } from '../model/incident.js';
import type { Caller } from './caller.js';
import { mayAdminister } from './permissions.js';
import { recorded } from './trail.js';

export interface ModeAsk {
  mode: RecoveryMode;
  /** Null for the fleet. */
  zone: string | null;
  /** A length of time, after which what was before holds again; undefined: for good. */
  for?: string | undefined;
  reason?: string | undefined;
}

/** Throws PermissionDenied, InvalidInput, NotFound for a zone. */
export async function turnRecovery(caller: Caller, ask: ModeAsk): Promise<RecoverySwitch> {
  const { mode, zone, for: length, reason } = ask;
  const entry = { action: 'recovery.mode', subject: zone ?? 'fleet', details: { mode, for: length, reason } };
  return recorded(caller, entry, () => turn(caller, ask));
}

async function turn(caller: Caller, { mode, zone, for: length, reason }: ModeAsk): Promise<RecoverySwitch> {
  const { inventory, identity } = caller;
  mayAdminister(caller, 'the switches of recovery are turned');
  if (mode !== 'armed' && reason === undefined) {
    throw new DroverError('InvalidInput', 'a switch needs a reason, unless it arms', {
      hint: 'say it for whoever finds a dead host: --reason "network work until noon"',
    });
  }
  const forSeconds = length === undefined ? null : secondsOf(length);
  const switched = { zone, mode, reason: reason ?? 'armed again', by: identity.name, forSeconds };
  return turnSwitch(inventory, switched);
}

function secondsOf(text: string): number {
  const seconds = parseDuration(text);
  if (seconds !== undefined && seconds > 0) return seconds;
  throw new DroverError('InvalidInput', `--for takes a length of time, not "${text}"`, {
    hint: 'write it as 30m, 2h or 1h30m',
  });
}
