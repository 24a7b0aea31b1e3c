/**
 * Scenarios on real libvirt: each ends as on the simulator. The times of a simulated datacenter are not those of a lab, so
 * here things happen in their order: what goes wrong in a migration when libvirt tells that it copies, and what comes back when
 * nothing is under way any more.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import {
  endStateOf,
  hostLine,
  instanceLine,
  operationLine,
  type EndState,
} from '../scenarios/run/end-state.js';
import { wordOf } from '../scenarios/run/act.js';
import { parseScenario, type Action, type Scenario } from '../scenarios/run/scenario.js';
import { openStage, play } from '../scenarios/run/stage.js';
import { assertOneGuest, openWorld, until, type World } from './world.js';

const names = [
  '04-target-loses-power-before-switch-over',
  '08-libvirtd-dies-on-the-target',
  '12-cancel-in-the-middle',
  '15-terminated-then-janitor',
  '54-drain-shared-and-block',
];
const folder = fileURLToPath(new URL('../scenarios', import.meta.url));

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

describe('the same scenario ends as on the simulator', () => {
  test.each(names)('%s', async (name) => {
    const file = join(folder, name, 'scenario.yaml');
    const scenario = parseScenario(readFileSync(file, 'utf8'), file);
    const expected = await simulated(scenario, file);
    world = await openWorld(scenario.hosts.length);
    await playOnLab(world, scenario);
    await settled(world, scenario);
    expect(await endState(world, scenario)).toEqual(expected);
    for (const { name: guest } of scenario.instances) {
      const { host } = await world.instance(guest);
      await assertOneGuest(world, guest, host ?? '');
      await world.judge.assertUnbroken(guest);
    }
  });
});

async function simulated(scenario: Scenario, file: string): Promise<EndState> {
  const stage = await openStage(scenario, file);
  try {
    await play(stage);
    return await endStateOf(stage.cloud);
  } finally {
    await stage.cloud.close();
  }
}

/** h1 is host1 of the lab. */
const labHost = (name: string): string => name.replace(/^h/, 'host');
const roleOf = (host: string): string => host.replace(/^host/, 'h');

/** A guest of the lab has about a tenth of the memory of one in a scenario; MiB per second to Mbit. */
const linkOf = (bandwidth: number): string => `${Math.round((bandwidth * 8) / 13)}mbit`;

async function playOnLab(lab: World, scenario: Scenario): Promise<void> {
  await lab.guests(
    ...scenario.instances.map(({ name, host, local }) => ({
      name,
      host: labHost(host),
      disk: local ? ('local' as const) : ('shared' as const),
    })),
  );
  for (const { name, locked } of scenario.instances)
    if (locked !== undefined) await lab.ok('instance', 'lock', name, '--reason', locked);
  for (const { fault } of scenario.faults.filter(({ at }) => at === '0s')) await strike(lab, fault, []);
  const commands: Command[] = [];
  for (const action of scenario.do.filter(({ at }) => at === '0s')) commands.push(begin(lab, action));
  const later = [
    ...scenario.faults.map(({ at, fault }) => ({ at, happen: () => strike(lab, fault, commands) })),
    ...scenario.do.map((action) => ({ at: action.at, happen: () => act(lab, scenario, action) })),
  ].filter(({ at }) => at !== '0s');
  if (later.length > 0) await migrating(lab, scenario);
  for (const { happen } of later) await happen();
  await ended(commands);
}

type Command = ReturnType<World['background']>;
type Fault = Scenario['faults'][number]['fault'];

const ended = (commands: readonly Command[]): Promise<unknown> =>
  Promise.all(commands.map(async (command) => command));

async function migrating(lab: World, scenario: Scenario): Promise<void> {
  const [first] = scenario.instances;
  if (first) await lab.migrating(first.name, labHost(first.host));
}

function begin(lab: World, action: Action): Command {
  if (action.do === 'operation' && action.uses === 'instance.live-migrate') {
    const { instance, host } = action.with;
    const to = host === undefined ? [] : ['--host', labHost(wordOf(host))];
    return lab.background('instance', 'live-migrate', wordOf(instance), ...to);
  }
  if (action.do === 'runbook') {
    const inputs = Object.entries(action.with).map(([key, value]) => {
      const given = key === 'host' ? labHost(wordOf(value)) : wordOf(value);
      return ['--input', `${key}=${given}`];
    });
    return lab.background('runbook', 'run', action.uses, ...inputs.flat());
  }
  throw new Error(`the lab does not begin with ${action.do}`);
}

async function act(lab: World, scenario: Scenario, action: Action): Promise<void> {
  const [first] = scenario.instances;
  const name = first?.name ?? '';
  if (action.do === 'cancel') await lab.ok('instance', 'cancel', name);
  else if (action.do === 'terminate') {
    const { id } = await lab.instance(name);
    await (await lab.client()).workflow.getHandle(`lab/instance/${id}`).terminate('test');
  } else throw new Error(`the lab does not do ${action.do}`);
}

async function strike(lab: World, fault: Fault, commands: readonly Command[]): Promise<void> {
  const { do: kind } = fault;
  if (
    kind === 'fail' ||
    kind === 'lose-answer' ||
    kind === 'rack-loss' ||
    kind === 'hang' ||
    kind === 'partition' ||
    !('hosts' in fault)
  )
    throw new Error(`the lab has no ${kind}`);
  if (kind === 'restore') await ended(commands);
  for (const host of fault.hosts.map(labHost)) {
    if (kind === 'slow') await lab.lab.link(host, linkOf(fault.bandwidth ?? 1250));
    else if (kind === 'crash') await lab.lab.crash(host);
    else if (kind === 'restore') await lab.lab.boot(host);
    else await lab.lab.libvirtd(host, kind === 'libvirtd-kill' ? 'kill' : 'start');
  }
}

/** Nothing is open, and the janitor has seen every host. */
async function settled(lab: World, scenario: Scenario): Promise<void> {
  await until('all is settled', 150_000, async () => {
    const shown = await Promise.all(scenario.instances.map(({ name }) => lab.instance(name)));
    const hosts = await lab.hosts();
    const free = shown.every(({ task, needsRepair }) => task === null && needsRepair === null);
    return free && hosts.every(({ state, slotsUsed }) => state === 'up' && slotsUsed === 0);
  });
}

/** What the lab does before the scenario begins. */
const setUp = ['adopt', 'lock'];

async function endState(lab: World, scenario: Scenario): Promise<EndState> {
  const instances: string[] = [];
  const operations: string[] = [];
  for (const name of scenario.instances.map((one) => one.name).toSorted()) {
    const shown = await lab.instance(name);
    instances.push(instanceLine({ ...shown, host: roleOf(shown.host ?? '') }));
    const done = (await lab.history(name)).filter(({ operation }) => !setUp.includes(operation)).toReversed();
    operations.push(...done.map((one) => operationLine(name, { ...one, kind: one.operation })));
  }
  const hosts = (await lab.hosts()).map((host) => hostLine({ ...host, name: roleOf(host.name) }));
  return { hosts, instances, operations };
}
