/** A host loses its power while an instance is on its way to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { getHost, listHosts } from '../../activities/inventory/hosts.js';
import { getInstance, listInstances } from '../../activities/inventory/instances.js';
import { giveFault, type Fault } from '../../activities/simulator/faults.js';
import { startOperation, waitForResult, type Started } from '../../client/operations.js';
import { progressOf } from '../../client/progress.js';
import { janitorWorkflowId } from '../../model/addresses.js';
import { DroverError } from '../../model/errors.js';
import type { Host } from '../../model/host.js';
import type { Instance } from '../../model/instance.js';
import { paint, paintState } from '../paint.js';
import { oneLine } from '../run-lines.js';
import { guestsOf } from './judge.js';
import type { Stage } from './stage.js';
import { Unexpected, type Teller } from './tell.js';

export async function lossAct(stage: Stage, tell: Teller): Promise<void> {
  const { inventory } = stage.caller;
  const { host, moved } = await cast(stage);
  const command = `drover instance live-migrate ${moved.name} --host ${host.name} --bandwidth 400`;
  tell.act(`${host.name} loses its power while ${moved.name} is on its way to it: ${command}`);
  const started = await begin(stage, 'live-migrate', moved.id, { host: host.name, bandwidth: 400 });
  await untilUnderWay(stage, tell, started);
  const before = await copyOf(stage, moved.id);

  await fault(stage, { do: 'crash', hosts: [host.name] });
  tell.say(
    paint.yellow(`drover sim crash ${host.name}: it is off, and its ${host.instances} instances with it.`),
  );
  await janitor(stage);
  await fault(stage, { do: 'restore', hosts: [host.name] });
  tell.say('Its power comes back at once, but it takes a while to boot. What drover finds meanwhile:');
  const silent = await untilHost(stage, host.name, 'unknown');
  tell.line(`host ${host.name}: up -> ${paintState('unknown')} (${silent.stateReason ?? ''})`);
  const there = await listInstances(inventory, { host: host.name });
  tell.say(
    `Of its ${there.length} instances drover knows that they were on ${host.name} when it was last seen. From silence it\n` +
      'concludes nothing: it starts none of them elsewhere, since two copies of one disk are worse than an outage.\n' +
      '(Proof that a host is off, and then evacuate: that comes with a later release.)',
  );
  const error = await failureOf(stage, started);
  const after = await getInstance(inventory, moved.id);
  tell.line(
    `live-migrate of ${moved.name}: ${paintState('failed')}: ${oneLine(error.message)} (${error.code})`,
  );
  const copy = await copyOf(stage, moved.id);
  const kept = copy.boots === before.boots && copy.host === before.host && after.host === before.host;
  if (!kept)
    throw new Unexpected(`${moved.name} was on ${before.host}, and is now ${copy.power} on ${copy.host}`);
  tell.say(`${moved.name} is ${after.state} on ${copy.host}, where it ran all the time.`);
  await bringBack(stage, tell, host.name, there);
}

/** Whatever has run on a host that was off is off now: the janitor finds that by itself, and what was found is started again. */
async function bringBack(
  stage: Stage,
  tell: Teller,
  host: string,
  there: readonly Instance[],
): Promise<void> {
  await janitor(stage);
  await untilHost(stage, host, 'up');
  tell.line(`host ${host}: unknown -> ${paintState('up')}`);
  tell.say(
    'It came up empty-handed: a host starts no guests by itself. The janitor looks at every instance there:',
  );
  await janitor(stage);
  await Promise.all(
    there.map(async ({ id, name, state }) => {
      const seen = await until(`the janitor has looked at ${name}`, async () => {
        const now = await getInstance(stage.caller.inventory, id);
        return now.state === state || now.operation !== null ? undefined : now;
      });
      const why = seen.cause === null ? '' : `: ${seen.cause}`;
      tell.line(`instance ${name}: ${paintState(state)} -> ${paintState(seen.state)} (repair${why})`);
      if (seen.state !== 'stopped')
        throw new Unexpected(`${name} is ${seen.state} after the loss of its host`);
    }),
  );
  tell.say(
    'Their restart policy is `never`, as it is unless you say so (`drover instance set-policy`): started by hand.',
  );
  await Promise.all(
    there.map(async ({ id, name }) => {
      await done(stage, await begin(stage, 'start', id));
      tell.line(`instance ${name}: stopped -> ${paintState('active')} (start)`);
    }),
  );
}

/** The fullest host that takes instances, and the largest instance of another one. */
async function cast({ caller: { inventory } }: Stage): Promise<{ host: Host; moved: Instance }> {
  const hosts = await listHosts(inventory, { enabled: true });
  const host = hosts.toSorted((one, other) => other.instances - one.instances)[0];
  const elsewhere = (await listInstances(inventory)).filter((one) => one.host !== host?.name);
  const moved = elsewhere.toSorted((one, other) => other.memoryMiB - one.memoryMiB)[0];
  if (host === undefined || moved === undefined) throw new Unexpected('there is nothing to move');
  return { host, moved };
}

async function begin(
  { caller }: Stage,
  operation: string,
  instance: string,
  more: Record<string, unknown> = {},
): Promise<Started> {
  const answer = await startOperation(caller, {
    operation: `instance.${operation}`,
    input: { instance, ...more },
  });
  if (answer.kind === 'closed') throw new Unexpected(`${operation} of ${instance} was answered before`);
  return answer.started;
}

const done = async ({ caller }: Stage, started: Started): Promise<void> =>
  void (await waitForResult(caller, started));

async function failureOf({ caller }: Stage, started: Started): Promise<DroverError> {
  const failure = await waitForResult(caller, started).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof DroverError && failure.code === 'MigrationFailed') return failure;
  throw new Unexpected(
    `the move to a host without power ended with ${failure instanceof Error ? failure.message : 'success'}`,
  );
}

async function untilUnderWay(
  { temporal }: Stage,
  tell: Teller,
  { workflowId, label }: Started,
): Promise<void> {
  await until(`the migration of ${label} is under way`, async () => {
    const { percent, phase } = await progressOf(temporal, workflowId);
    if (percent === null || percent === 0) return undefined;
    tell.line(`${label}: ${phase ?? ''} ${percent} %`);
    return true;
  });
}

const untilHost = ({ caller }: Stage, name: string, state: Host['state']): Promise<Host> =>
  until(`host ${name} is ${state}`, async () => {
    const host = await getHost(caller.inventory, name);
    return host.state === state ? host : undefined;
  });

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(100);
  }
  throw new Unexpected(`not within 30 s: ${what}`);
}

/** It comes every 30 s; here it comes at once. */
const janitor = ({ temporal, caller }: Stage): Promise<void> =>
  temporal.client.schedule
    .getHandle(janitorWorkflowId(caller.cloud))
    .trigger(ScheduleOverlapPolicy.BUFFER_ONE);

const fault = ({ datacenter }: Stage, what: Fault): Promise<void> =>
  datacenter.transact((tx) => giveFault(tx, what));

/** The guest as the one hypervisor knows it on which it runs. */
async function copyOf(stage: Stage, id: string): Promise<{ host: string; power: string; boots: number }> {
  const copies = (await guestsOf(stage)).filter((guest) => guest.id === id && guest.power === 'running');
  const [only, ...more] = copies;
  if (only === undefined || more.length > 0) throw new Unexpected(`${id} runs on ${copies.length} hosts`);
  return only;
}
