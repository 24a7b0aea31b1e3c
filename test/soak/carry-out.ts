/** Does one action of a case, when its time has come. */
import { giveFault } from '../../activities/simulator/faults.js';
import { turnSwitch } from '../../activities/recovery/switches.js';
import { DroverError } from '../../model/errors.js';
import { resolveInputs } from '../../runbooks/language/inputs.js';
import type { Order } from '../../workflows/operate.js';
import type { Action } from './case.js';
import { answer } from './people.js';
import { places } from './places.js';
import { planOf, type World } from './world.js';

/** What was refused is no matter: a busy instance, a pause of what is paused. Anything else is a bug. */
export async function carryOut(world: World, action: Action): Promise<void> {
  try {
    await perform(world, action);
  } catch (error) {
    if (!(error instanceof DroverError) || error.code === 'Internal')
      world.bugs.push(`an action threw: ${String(error)}`);
  }
}

async function perform(world: World, action: Action): Promise<void> {
  const { cloud } = world;
  if (action.do !== 'operation') cloud.log.add('world', action.do, JSON.stringify(action));
  switch (action.do) {
    case 'operation':
      return ask(world, action.id, action.uses, action.with);
    case 'runbook': {
      const plan = await planOf(action.name);
      const { run, id } = cloud.runbook(plan, resolveInputs(plan.runbook, action.with));
      return world.accept(action.id, { id, key: action.name, instance: null, run });
    }
    case 'again':
      return again(world, action.of);
    case 'cancel':
      return world.workflowOf(action.of)?.cancel();
    case 'terminate':
      return world.workflowOf(action.of)?.terminate();
    case 'reset':
      return reset(world, action.of);
    case 'pause':
    case 'resume':
      return tell(world, action.of, action.do, {});
    case 'keep':
      return tell(world, action.of, 'cancel', { undo: false });
    case 'fault':
      return cloud.datacenter.transact((tx) => giveFault(tx, action.fault));
    case 'worker':
      return worker(world, action);
    case 'abort':
    case 'force-complete':
      return endMove(world, action);
    case 'person':
      return answer(world, action.answers);
    case 'switch': {
      const { mode, zone, seconds: forSeconds } = action;
      return void (await turnSwitch(cloud.inventory, { mode, zone, forSeconds, reason: 'soak', by: 'soak' }));
    }
    default:
      return action satisfies never;
  }
}

function ask(world: World, action: string, key: string, input: Record<string, unknown>): void {
  const instance = 'instance' in input ? world.instance(String(input['instance'])) : null;
  const { run, id } = world.cloud.operation(key, {
    ...input,
    ...(instance === null ? {} : { instance }),
  });
  // Asked a second time, a recovery that runs is joined: its record is that of who asked first.
  const joined = (run.argument as Order).request.id;
  world.accept(action, { id: key === 'host.recover' ? joined : id, key, instance, run });
}

/** A client that did not hear the answer sends the same request. */
function again(world: World, of: string): void {
  const before = world.accepted.get(of);
  if (!before || before.run.type === 'run-runbook') return;
  const { request, input } = before.run.argument as Order;
  const run = world.cloud.operation(before.key, input, { id: request.id }).run;
  world.accept(of, { ...before, run });
}

function reset(world: World, of: string): void {
  const run = world.workflowOf(of);
  // Another one has its workflow id by now.
  if (!run || world.cloud.temporal.newest(run.workflowId) !== run) return;
  const fresh = world.cloud.temporal.reset(run.workflowId);
  for (const [action, accepted] of world.accepted)
    if (accepted.run === run) world.accept(action, { ...accepted, run: fresh });
}

/** What runs there may be something else, or have ended. */
async function endMove(
  world: World,
  { do: name, of, way }: Extract<Action, { do: 'abort' | 'force-complete' }>,
): Promise<void> {
  const run = world.workflowOf(of);
  if (run?.type !== 'instance.live-migrate' || !run.open) return;
  await run.ask(name, { by: 'soak', role: 'operator', way });
}

async function tell(world: World, of: string, name: string, more: object): Promise<void> {
  const run = world.accepted.get(of)?.run;
  if (run?.type !== 'run-runbook') return;
  await run.ask(name, { by: 'soak', role: 'admin', comment: null, ...more });
}

function worker({ cloud }: World, { which, what }: Extract<Action, { do: 'worker' }>): void {
  const place = places[which];
  const { temporal } = cloud;
  if (what === 'crash') {
    const process = temporal.of(place);
    return process && temporal.crash(process);
  }
  if (what === 'stop') return temporal.killWorker(place);
  if (what === 'redeploy') return temporal.redeploy(place);
  if (temporal.of(place) === undefined) temporal.startWorker(place);
}
