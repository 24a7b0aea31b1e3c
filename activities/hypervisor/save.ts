import { DroverError } from '../../model/errors.js';
import type { Call, Guest, UndoAnswer } from '../types.js';
import { anyJob } from './abort.js';
import type { HypervisorDeps } from './deps.js';
import { notThere, ownerOf, takeGuest, throwIfStopped } from './guard.js';
import type { GuestView, JobView } from './port.js';

const SAVE = 'save';
const isOff = (view: GuestView): boolean => view.power === 'shutoff' || view.power === 'crashed';
const isSaved = (view: GuestView): boolean => isOff(view) && view.managedSave;

/**
 * Saves the memory of a guest and ends it. The hypervisor does it by itself: an attempt that finds it at work follows
 * it, and only a cancel that somebody asked for aborts it.
 */
export async function saveGuest(deps: HypervisorDeps, input: Guest, call: Call): Promise<void> {
  const { hypervisor, pace, clock } = deps;
  const { host, instance, name } = input;
  const begun = clock.now();
  let client: Client | null = null;
  let followed = false;
  for (;;) {
    // What is seen after the client's end is final.
    const over: boolean = client?.over === true;
    const view: GuestView | null = await (client === null
      ? takeGuest(hypervisor, host, instance, call)
      : hypervisor.look(host, instance));
    if (view === null) throw notThere(host, name);
    if (isSaved(view)) return;
    const job = isOff(view) ? null : await hypervisor.job(host, instance);
    if (job === null && (over || (isOff(view) && client === null))) throw notSaved(input, view, client);
    if (job !== null && job.operation !== SAVE) throw busyWith(input, job);
    if (call.signal.aborted && call.cancelRequested()) {
      const runs = (): boolean => client?.over === false;
      await abortSave(deps, input, call, runs);
      throw new DroverError('Cancelled', `cancelled while the memory of ${name} was saved`);
    }
    throwIfStopped(call, `the memory of ${name} is saved`);
    if (job !== null) followed = true;
    else if (client === null && followed) {
      // The job that was found here is over: what came of it is not seen yet.
      followed = false;
      continue;
    } else client ??= follow((await hypervisor.save(host, instance)).ended);
    call.heartbeat({ phase: 'saving', elapsedMs: clock.now() - begun, ...percentOf(job) });
    await Promise.race([
      clock.sleep(pace.pollMs, call.signal),
      ...(client?.over === false ? [client.ended] : []),
    ]);
  }
}

/** Takes a save back, done or under way: the guest goes on. Where nothing was saved there is nothing to take back. */
export async function undoSave(deps: HypervisorDeps, input: Guest, call: Call): Promise<UndoAnswer> {
  await abortSave(deps, input, call, () => false);
  const view = await deps.hypervisor.look(input.host, input.instance);
  if (view !== null && isSaved(view)) await restoreGuest(deps, input, call);
  return { undone: true };
}

/** Starts a guest from its saved memory. Not to be broken off half-way, so a cancel waits for its end. */
export async function restoreGuest(
  deps: HypervisorDeps,
  input: Guest,
  call: Call,
): Promise<{ memory: 'kept' | 'lost' }> {
  const { hypervisor, pace, clock } = deps;
  const { host, instance, name } = input;
  const begun = clock.now();
  let client: Client | null = null;
  for (;;) {
    const over: boolean = client?.over === true;
    const view: GuestView | null = await (client === null
      ? takeGuest(hypervisor, host, instance, call)
      : hypervisor.look(host, instance));
    if (view === null) throw notThere(host, name);
    const busy = view.power === 'paused' && (await hypervisor.job(host, instance)) !== null;
    if (view.power === 'running' || (view.power === 'paused' && !busy && (over || client === null))) {
      // What is restored has the stamp that it was saved with.
      await hypervisor.stamp(host, view, ownerOf(call));
      return { memory: view.reason === 'booted' ? 'lost' : 'kept' };
    }
    if (isOff(view) && over && client !== null && client.said !== null) {
      throw new DroverError('HypervisorError', `${name} was not restored on ${host.name}: ${client.said}`);
    }
    if (isOff(view) && !view.managedSave && (over || client === null)) {
      throw new DroverError('StaleSavedState', `${host.name} has no saved memory of ${name} any more`, {
        hint: `boot it without: drover instance resume ${name} --discard-memory`,
      });
    }
    if (isOff(view) && client === null) client = follow((await hypervisor.restore(host, instance)).ended);
    call.heartbeat({ phase: 'restoring', elapsedMs: clock.now() - begun });
    if (call.signal.aborted && !call.cancelRequested())
      throwIfStopped(call, `the memory of ${name} is restored`);
    await Promise.race([clock.sleep(pace.pollMs), ...(client?.over === false ? [client.ended] : [])]);
  }
}

/** The process that waits for the end of a job; what it says is a hint to look. */
interface Client {
  over: boolean;
  said: string | null;
  ended: Promise<void>;
}

function follow(ended: Promise<string | null>): Client {
  const client: Client = { over: false, said: null, ended: Promise.resolve() };
  const end = (said: string | null): void => {
    client.over = true;
    client.said = said;
  };
  client.ended = ended.then(end, (error: unknown) => end(String(error)));
  return client;
}

/** Ends a save that is under way, and waits until it is known to be over; the guest goes on then. */
async function abortSave(
  { hypervisor, pace, clock }: HypervisorDeps,
  input: Guest,
  call: Call,
  clientRuns: () => boolean,
): Promise<void> {
  const { host, instance, name } = input;
  const until = clock.now() + pace.patienceMs;
  for (;;) {
    const job = await anyJob(hypervisor, host, instance);
    const none = job === null || (job !== 'unknown' && job.operation !== SAVE);
    // A client that was just started may begin its job only now.
    if (none && !clientRuns()) return;
    // A refused abort (it is nearly done) shows in the next look.
    if (!none && job !== 'unknown') await hypervisor.abortJob(host, instance).catch(() => undefined);
    if (clock.now() > until)
      throw new DroverError('HypervisorError', `${host.name}: saving ${name} could not be ended`);
    call.heartbeat({ phase: 'aborting' });
    await clock.sleep(pace.pollMs);
  }
}

const percentOf = (job: JobView | null): { percent?: number } =>
  job?.totalBytes && job.remainingBytes !== null
    ? { percent: Math.floor(100 * (1 - job.remainingBytes / job.totalBytes)) }
    : {};

function notSaved({ host, name }: Guest, view: GuestView, client: Client | null): DroverError {
  const said = client?.said ?? `it is ${view.power} (${view.reason}) and nothing is saved`;
  return new DroverError('HypervisorError', `the memory of ${name} was not saved on ${host.name}: ${said}`);
}

const busyWith = ({ host, name, instance }: Guest, job: JobView): DroverError =>
  new DroverError('WrongState', `${name} has a running job on ${host.name}: ${job.operation}`, {
    hint: `wait until it is over, or end it with: virsh domjobabort ${instance}`,
  });
