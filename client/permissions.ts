/** Who may do what: the roles, the runbooks' `permissions`, and what a token is limited to. */
import { DroverError } from '../model/errors.js';
import { permitsRun } from '../model/permissions.js';
import type { FrozenRunbook } from '../model/runbook.js';
import type { Caller, Identity } from './caller.js';

type Asking = Pick<Caller, 'identity'>;

/** Operations, runs, and what the inventory holds. */
export function mayOperate({ identity }: Asking): void {
  mayChange({ identity });
  if (!isLimited(identity)) return;
  throw new DroverError(
    'PermissionDenied',
    `the token ${identity.name} may only start the runbooks ${identity.runbooks?.join(', ')}`,
    { hint: 'take a token without --runbook' },
  );
}

/** What only a person may answer for: approvals, rejections, attests, a migration by force, the end of a recovery. */
export function mayAnswer({ identity }: Asking, action: string): void {
  mayOperate({ identity });
  if (identity.role !== 'automation') return;
  throw new DroverError('PermissionDenied', `only a person may ${action}; ${identity.name} is automation`, {
    hint: 'ask an operator',
  });
}

/** Tokens, and the switches of recovery. */
export function mayAdminister({ identity }: Asking, what: string): void {
  if (identity.role === 'admin' && !isLimited(identity)) return;
  throw new DroverError(
    'PermissionDenied',
    `${identity.name} has the role ${identity.role}; ${what} by an admin`,
    { hint: 'ask an admin, or set identity.role in drover.yaml' },
  );
}

/** Also for who starts runs in another way than `startRun`, such as an alert. Runbooks within it are not asked. */
export function mayRun(
  { identity }: Asking,
  { name, runbook }: Pick<FrozenRunbook, 'name' | 'runbook'>,
): void {
  mayChange({ identity });
  if (isLimited(identity) && identity.runbooks?.includes(name) !== true) mayOperate({ identity });
  if (permitsRun(runbook.permissions, identity)) return;
  const allowed = runbook.permissions?.run ?? [];
  throw new DroverError(
    'PermissionDenied',
    `the runbook ${name} may be started by ${allowed.join(', ')}, not by ${identity.name} (${identity.role})`,
    {
      details: { runbook: name, allowed },
      hint: 'ask one of them, or change permissions.run of the runbook',
    },
  );
}

/** Whoever only looks is refused before anything is looked up. */
export function mayChange({ identity: { name, role } }: Asking): void {
  if (role !== 'viewer') return;
  throw new DroverError('PermissionDenied', `${name} has the role viewer, which may only look`, {
    hint: 'ask an operator, or set identity.role in drover.yaml',
  });
}

const isLimited = ({ runbooks }: Identity): boolean => runbooks !== undefined && runbooks !== null;
