import type { ErrorCode } from '../model/errors.js';

/** How an operation of each target may end whatever it does; a declaration's `errors` names the others. */
export const generalErrors: Readonly<Record<'instance' | 'host', readonly ErrorCode[]>> = {
  instance: [
    // Refused before anything was done
    'InvalidInput',
    'NotFound',
    'Ambiguous',
    'PermissionDenied',
    'InstanceBusy',
    'InstanceLocked',
    'NeedsRepair',
    'HostUnknown',
    'WrongState',
    'Unsupported',
    // Out of reach
    'TemporalUnreachable',
    'WorkerMissing',
    'InventoryUnavailable',
    'HypervisorUnreachable',
    // The work failed, and was taken back
    'HypervisorError',
    'TimedOut',
    'Cancelled',
    'UnwindIncomplete',
    'StaleOwner',
    'Internal',
  ],
  host: [
    'InvalidInput',
    'NotFound',
    'PermissionDenied',
    'HostBusy',
    'TemporalUnreachable',
    'WorkerMissing',
    'InventoryUnavailable',
    'Cancelled',
    'Internal',
  ],
};
