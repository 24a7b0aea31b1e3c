/**
 * The error table: every way in which drover refuses or fails, told once.
 * `retryable` is what Temporal does with it in an activity, `http` what the gateway answers, `exit` the
 * exit code of the command line, `todo` the next thing that an operator does.
 */
interface ErrorRow {
  retryable: boolean;
  http: number;
  exit: number;
  meaning: string;
  todo: string;
}

const row = (retryable: boolean, http: number, exit: number, meaning: string, todo: string): ErrorRow => ({
  retryable,
  http,
  exit,
  meaning,
  todo,
});

export const errorTable = {
  // Wrong usage, wrong files
  InvalidInput: row(
    false,
    400,
    2,
    'the input is not what the operation takes',
    'correct the input and try again',
  ),
  InvalidRunbook: row(
    false,
    400,
    2,
    'the runbook has errors',
    'correct the places named and run `drover runbook check FILE`',
  ),
  InvalidConfig: row(
    false,
    400,
    2,
    'the configuration has errors',
    'correct the places named in drover.yaml',
  ),
  NotFound: row(
    false,
    404,
    2,
    'nothing has that name or id',
    'list what there is, for example with `drover instance list`',
  ),
  Ambiguous: row(false, 409, 2, 'more than one thing has that name', 'use one of the ids'),
  AlreadyExists: row(
    false,
    409,
    2,
    'something with that name or id is there already',
    'choose another name, or remove the other one',
  ),
  // Refused: nothing was changed
  WrongState: row(
    false,
    409,
    3,
    'the state does not allow the operation',
    'bring the instance to an allowed state first',
  ),
  InstanceBusy: row(false, 409, 3, 'another operation runs on the instance', 'wait for it, or cancel it'),
  HostBusy: row(false, 409, 3, 'another operation runs on the host', 'wait for it, or cancel it'),
  RunBusy: row(
    false,
    409,
    3,
    'another run with the same concurrency key runs',
    'wait for it (`drover run list --state running`), or cancel it',
  ),
  InstanceLocked: row(false, 409, 3, 'the instance is locked', 'ask who locked it to unlock it'),
  NeedsRepair: row(
    false,
    409,
    3,
    'an earlier operation could not clean up after itself',
    'see `drover instance show`; the janitor tries again, or terminate the instance',
  ),
  NoValidHost: row(
    false,
    409,
    3,
    'no host can take the instance',
    'free capacity, enable a host, or name another one',
  ),
  NoMigrationSlot: row(
    false,
    409,
    3,
    'every migration slot of the hosts in question is in use',
    'wait for a running migration to end',
  ),
  KeyReused: row(
    false,
    422,
    2,
    'the Idempotency-Key was used before, for another request',
    'take a new key for a new request',
  ),
  KeyBusy: row(
    true,
    409,
    3,
    'a request with this Idempotency-Key is being worked on',
    'send it again in a moment: it gets the answer of the first',
  ),
  TooManyRequests: row(true, 429, 5, 'more requests than are taken', 'wait as long as Retry-After says'),
  NotRecorded: row(
    false,
    500,
    1,
    'it was done, but the audit trail could not be written',
    'do not ask again; check the database, where the audit trail is kept',
  ),
  Unauthenticated: row(
    false,
    401,
    3,
    'the token is missing, unknown, expired or revoked',
    'send a token as `Authorization: Bearer …`; an administrator makes one with `drover api-token create`',
  ),
  PermissionDenied: row(false, 403, 3, 'your role does not allow it', 'ask someone whose role does'),
  Unsupported: row(
    false,
    409,
    3,
    'the hypervisor or the guest does not support it',
    'see the reason; choose another operation',
  ),
  HostUnknown: row(false, 409, 3, 'the state of the host is unknown', 'bring the host back, or recover it'),
  HostFenced: row(
    false,
    409,
    3,
    'the host is fenced, or back and not yet readmitted',
    'bring it back with `drover host readmit HOST` once it is repaired',
  ),
  HostReplaced: row(
    false,
    409,
    3,
    'another machine answers under the name of the host',
    'put the machine back that it was, or remove the host and add the new one under a name of its own',
  ),
  FencingRequired: row(
    false,
    409,
    3,
    'nothing proves that the host is off: its guests may run there',
    'recover the host: `drover host recover HOST` confirms, fences and evacuates',
  ),
  RecoveryHeld: row(
    false,
    409,
    3,
    'a rule holds the recovery back: disarmed, maintenance, control plane, or too many hosts at once',
    'see `drover incident show ID` and `drover recovery status`',
  ),
  RecoveryIncomplete: row(
    false,
    500,
    1,
    'not every instance of the lost host was brought back',
    'see what is left with `drover incident show ID`; recover the host again once there is room',
  ),
  ConfirmationNeeded: row(
    false,
    400,
    2,
    'this destroys something and was not confirmed',
    'repeat with --yes',
  ),
  // Out of reach
  TemporalUnreachable: row(
    true,
    503,
    4,
    'the Temporal server does not answer',
    'start it (`drover dev`), or set TEMPORAL_ADDRESS',
  ),
  HypervisorUnreachable: row(
    true,
    503,
    4,
    'the hypervisor does not answer',
    'check the host, its libvirtd and the network',
  ),
  HostWorkerMissing: row(
    false,
    503,
    4,
    'no worker of the host took the task',
    'run `drover worker --host NAME` on that host',
  ),
  WorkerMissing: row(
    false,
    503,
    4,
    'no worker takes the work up',
    'start one with `drover worker`, or `drover dev`',
  ),
  InventoryUnavailable: row(true, 503, 4, 'the inventory database does not answer', 'check the database'),
  // The work failed
  HypervisorError: row(false, 502, 1, 'the hypervisor refused or failed', 'see its message'),
  MigrationFailed: row(
    false,
    502,
    1,
    'the migration did not complete; the guest runs on the source',
    'see the reason and try again',
  ),
  MigrationStalled: row(
    false,
    502,
    1,
    'the migration made no progress within its limit and was aborted',
    'raise the limit or the bandwidth, or migrate when the guest is less busy',
  ),
  StaleSavedState: row(
    false,
    409,
    3,
    'the saved memory is gone, or its disks changed after it was saved',
    'start without it: `drover instance resume NAME --discard-memory`',
  ),
  PostCopyFailed: row(
    false,
    502,
    1,
    'a migration broke after the guest had been switched over, and what it had in memory is in two halves, or lost',
    'never resume it on its source; `drover instance reboot --hard NAME` boots it afresh on its target',
  ),
  GuestLost: row(
    false,
    502,
    1,
    'the guest is not running where it should be',
    'see `drover instance show` and start it, or evacuate',
  ),
  FencingFailed: row(
    false,
    502,
    1,
    'no fence device turned the host on',
    'turn it on yourself, then `drover host readmit HOST`',
  ),
  VantageMissing: row(
    false,
    503,
    4,
    'no worker of the vantage point took the task',
    'run `drover worker --vantage NAME` there',
  ),
  HostError: row(false, 502, 1, 'work on the host itself failed', 'see the message'),
  DiskError: row(false, 502, 1, 'work on a disk failed', 'see the message'),
  DiskNotShared: row(
    false,
    409,
    3,
    'a disk is on a host’s own storage, or nothing proves that another host has it',
    'say where shared storage is: drover host set HOST --storage NAME=DIRECTORY',
  ),
  // Storage keeps the locks of a host that died for a while: 42 s on GlusterFS, 90 s with NFS 4.
  DiskLocked: row(
    true,
    409,
    1,
    'a disk is locked by a process that runs, or by a host that died a short while ago',
    'find the process that has it open before anything else is started on it',
  ),
  TimedOut: row(false, 504, 1, 'it did not end within its time limit', 'see where it stands and try again'),
  Cancelled: row(false, 409, 5, 'it was cancelled', 'start it again when you want it'),
  Rejected: row(
    false,
    409,
    5,
    'somebody rejected it, or nobody approved it in time',
    'see `drover run show` for who and why; start it again when it may run',
  ),
  UnwindIncomplete: row(
    false,
    500,
    1,
    'undoing did not complete',
    'see what is left in the record; the janitor tries again',
  ),
  CleanupIncomplete: row(
    false,
    500,
    1,
    'the work is done, but something could not be cleaned up',
    'see what is left in the record; the janitor tries again',
  ),
  RunFailed: row(false, 500, 1, 'the run failed', 'see `drover run show`'),
  StaleOwner: row(
    false,
    409,
    1,
    'another operation owns the instance by now',
    'nothing: the newer owner goes on',
  ),
  Internal: row(true, 500, 1, 'an error inside drover', 'see the log of the worker'),
} as const satisfies Record<string, ErrorRow>;
