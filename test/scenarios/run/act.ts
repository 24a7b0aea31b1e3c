/** What people do in a scenario: each is told in the log, and so is what they are answered. */
import { join } from 'node:path';
import { setLock } from '../../../activities/inventory/instances.js';
import { listRunItems } from '../../../activities/inventory/run-items.js';
import { getRun } from '../../../activities/inventory/runs.js';
import { turnSwitch } from '../../../activities/recovery/switches.js';
import { parseDuration } from '../../../model/duration.js';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { leftOf } from '../../../client/run-left.js';
import { DroverError } from '../../../model/errors.js';
import type { RunProgress } from '../../../model/run.js';
import { resolveInputs } from '../../../runbooks/language/inputs.js';
import { loadRunbook } from '../../../runbooks/language/load.js';
import { workerPlaces } from '../../../virtual/cloud.js';
import type { Handle } from '../../../virtual/handle.js';
import { byHand } from './by-hand.js';
import { inventoryIs } from './inventory-is.js';
import type { Action } from './scenario.js';
import type { Stage } from './stage.js';
import { troublesOf } from './troubles.js';

type Of<K extends Action['do']> = Extract<Action, { do: K }>;

/** A refusal is told, and the scenario goes on. */
export async function act(stage: Stage, action: Action): Promise<void> {
  const { log } = stage.cloud;
  log.add('world', 'by' in action ? action.by : 'world', saysOf(action));
  try {
    await does(stage, action);
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    log.add('world', 'by' in action ? action.by : 'world', `is refused: ${error.code}: ${error.message}`);
  }
}

async function does(stage: Stage, action: Action): Promise<void> {
  const { cloud } = stage;
  const { temporal } = cloud;
  switch (action.do) {
    case 'operation':
      return startOperation(stage, action);
    case 'runbook':
      return startRunbook(stage, action);
    case 'retry':
      return retry(stage, action);
    case 'attest':
      return askRecovery(stage, action);
    case 'switch': {
      const { zone, mode, reason, by } = action;
      const forSeconds = action.for === undefined ? null : (parseDuration(action.for) ?? null);
      return void (await turnSwitch(cloud.inventory, { zone, mode, reason, by, forSeconds }));
    }
    case 'approve':
    case 'reject':
    case 'pause':
    case 'resume':
    case 'cancel':
      return ask(stage, action);
    case 'abort':
    case 'force-complete':
      return askOperation(stage, action);
    case 'terminate':
      return handleOf(stage, action.of).terminate();
    case 'reset':
      return void handleOf(stage, action.of).reset();
    case 'lock':
      return void (await setLock(cloud.inventory, action.instance, action));
    case 'unlock':
      return void (await setLock(cloud.inventory, action.instance, null));
    case 'by-hand': {
      const { instance: name, host, what } = action;
      const { id } = await cloud.instance(stage.ids.get(name) ?? name);
      return cloud.datacenter.transact((tx) => byHand[what](tx, { id, name, host }));
    }
    case 'audit': {
      const { repair, adopt, 'remove-orphan-disks': removeOrphanDisks } = action;
      return void cloud.audit({ repair, adopt, removeOrphanDisks });
    }
    case 'fence-check':
      return void cloud.fenceCheck();
    case 'inventory':
      return inventoryIs(cloud.inventory, action.is);
    case 'kill-worker':
      return cloud.crashWorker(action.worker);
    case 'stop-worker':
      return temporal.killWorker(workerPlaces[action.worker]);
    case 'start-worker':
      return temporal.startWorker(workerPlaces[action.worker]);
    case 'deploy':
      return temporal.redeploy(workerPlaces[action.worker]);
    case 'look':
      return look(stage, action);
    default:
      return action satisfies never;
  }
}

/** Of which the log says nothing, or in its own words. */
const silent = new Set(['do', 'at', 'by', 'role', 'with', 'troubles', 'uses']);

/** `operation instance.live-migrate instance=web-1 as move`. */
function saysOf(action: Action): string {
  const { do: kind } = action;
  const details = Object.entries(action)
    .filter(([key, value]) => !silent.has(key) && value !== null && !(key === 'undo' && value === true))
    .map(([key, value]) => `${key} ${String(value)}`);
  const uses = 'uses' in action ? [action.uses, ...givenOf(action.with)].join(' ') : '';
  return [kind, uses, details.join(', ')].filter((part) => part !== '').join(' ');
}

const givenOf = (given: Record<string, unknown>): string[] =>
  Object.entries(given).map(([key, value]) => `${key}=${[value].flat().map(wordOf).join(',')}`);

/** A value of a scenario file as it stands there. */
export const wordOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function handleOf({ started }: Stage, name: string): Handle {
  const found = started.get(name);
  if (!found) throw new Error(`the scenario has started nothing called ${name}`);
  return found;
}

async function startOperation(
  stage: Stage,
  { uses, with: given, as, by, role, again, troubles }: Of<'operation'>,
) {
  const { cloud, ids, started } = stage;
  const { instance, name } = given;
  const input: Record<string, unknown> = { ...given };
  if (uses === 'instance.launch') {
    const id = cloud.random.uuid();
    input['instance'] = id;
    ids.set(wordOf(name), id);
    cloud.log.name(id, wordOf(name));
  } else if (instance !== undefined) input['instance'] = ids.get(wordOf(instance)) ?? instance;
  const before = again === undefined ? undefined : handleOf(stage, again);
  const id = before?.id ?? cloud.random.uuid();
  const called = as ?? uses;
  if (!before) cloud.log.name(id, called);
  const asked = { id, by, role, troubles: troublesOf(stage, troubles, called) };
  started.set(called, cloud.operation(uses, input, asked));
}

async function startRunbook(stage: Stage, { uses, with: given, as, by, role, troubles }: Of<'runbook'>) {
  const { cloud, started, folder } = stage;
  const file = uses.startsWith('./') ? join(folder, uses) : uses;
  const plan = await loadRunbook(file, [folder], runbookCatalogue());
  const called = as ?? plan.name;
  const id = cloud.random.uuid();
  const children = { troubles: troublesOf(stage, troubles, called) };
  const handle = cloud.runbook(plan, resolveInputs(plan.runbook, given), { id, by, role, children });
  cloud.log.name(id, called);
  started.set(called, handle);
}

async function retry(stage: Stage, { of, as, by }: Of<'retry'>): Promise<void> {
  const { cloud, started } = stage;
  const run = await getRun(cloud.inventory, handleOf(stage, of).id);
  if (!run.plan) throw new Error(`${of} is no run`);
  const { retry: left } = leftOf(run.plan, run, await listRunItems(cloud.inventory, run.id), []);
  const called = as ?? `${of}, again`;
  const id = cloud.random.uuid();
  const handle = cloud.runbook(run.plan, run.inputs, { id, by, role: 'operator', retry: left });
  cloud.log.name(id, called);
  started.set(called, handle);
}

/** An operation is cancelled as Temporal cancels; a run is asked, and answers when it has taken it up. */
async function ask(
  stage: Stage,
  action: Of<'approve' | 'reject' | 'pause' | 'resume' | 'cancel'>,
): Promise<void> {
  const handle = handleOf(stage, action.of);
  const { do: name, by, role, comment } = action;
  if (handle.run.type === 'host.recover' && (action.do === 'approve' || action.do === 'reject'))
    return askRecovery(stage, action);
  if (handle.run.type !== 'run-runbook') return handle.cancel();
  const more = 'step' in action ? { step: action.step } : 'undo' in action ? { undo: action.undo } : {};
  return hear(stage, by, handle.run.ask(name, { by, role, comment, ...more }));
}

async function askRecovery(
  stage: Stage,
  { do: name, of, by, role, comment }: Of<'approve' | 'reject' | 'attest'>,
): Promise<void> {
  const said = comment === null ? {} : { comment };
  return hear(stage, by, handleOf(stage, of).run.ask(name, { by, role, way: null, ...said }));
}

async function askOperation(stage: Stage, action: Of<'abort' | 'force-complete'>): Promise<void> {
  const { do: name, of, by, role } = action;
  const way = 'way' in action ? action.way : null;
  return hear(stage, by, handleOf(stage, of).run.ask(name, { by, role, way }));
}

async function hear({ cloud }: Stage, by: string, answer: Promise<unknown>): Promise<void> {
  const { log, clock } = cloud;
  answer.then(
    (said) => log.add('world', by, `is told: ${(said as { said: string }).said}`),
    (error: unknown) =>
      log.add(
        'world',
        by,
        `is refused: ${error instanceof DroverError ? `${error.code}: ${error.message}` : String(error)}`,
      ),
  );
  await clock.advance(0);
}

function look(stage: Stage, { of }: Of<'look'>): void {
  const { steps, paused } = handleOf(stage, of).progress() as RunProgress;
  const { log } = stage.cloud;
  const tell = (what: string) => log.add('world', of, what);
  if (paused) tell(`is paused by ${paused.by}: ${paused.reason ?? 'no reason given'}`);
  for (const { id, state, done, failed, refused, total, approval } of steps) {
    if (state === 'pending') continue;
    tell(`${id} ${state}, ${done} done, ${failed} failed, ${refused} refused of ${total}`);
    if (approval?.state === 'waiting')
      tell(
        `${id} asks ${approval.from.join(', ') || 'anybody'}: ${approval.message} (${approval.targets.join(', ')}), ${approval.approvals.length} of ${approval.needed}, until ${approval.until}`,
      );
  }
}
