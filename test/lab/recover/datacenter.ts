/**
 * Three real hosts as a recovery needs them: BMCs, storage over the network, a vantage point on this machine and one in
 * host3. That host is the witness: it takes no guests and nothing ever happens to it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Incident } from '../../../model/incident.js';
import { watchCopies, type Watcher } from '../copies/watch.js';
import { main } from '../cli.js';
import { openWorld, until } from '../world.js';
import type { Lab } from '../../../lab/lab.js';

export type Datacenter = Awaited<ReturnType<typeof openDatacenter>>;

/** With storage that still holds the lock of a host that is cut off, and a busy machine. */
export const shortly = 150_000;
/** With several lab files' worth of work on two cores. */
const patience = 150_000;

export async function openDatacenter() {
  const world = await openWorld(3, { configure });
  const north = world.background('worker', '--vantage', 'north');
  await install(world.lab, 'host3', 'vantage', world.env, [
    process.execPath,
    main,
    'worker',
    '--vantage',
    'south',
  ]);
  await world.ok('host', 'disable', 'host3', '--reason', 'it is the witness');
  let watcher: Watcher | null = null;

  const incidents = () => world.json<Incident[]>('incident', 'list');
  const openIncident = async (host: string) =>
    (await incidents()).find((one) => one.host === host && one.endedAt === null);

  return {
    ...world,
    incidents,

    /** Looks ten times a second from now on. */
    watch(): Watcher {
      watcher?.stop();
      watcher = watchCopies(world.lab);
      return watcher;
    },

    recover: (host: string) =>
      world.background('host', 'recover', host, '--reason', 'the test says so', '-o', 'json'),

    /** The incident of the host, once it asks a person for something of this kind. */
    async asks(host: string, what: string): Promise<Incident> {
      let found: Incident | undefined;
      await until(`the recovery of ${host} asks: ${what}`, patience, async () => {
        found = await openIncident(host);
        return found?.waitsFor?.includes(what) ?? false;
      });
      if (found === undefined) throw new Error(`${host} has no open incident`);
      return found;
    },

    /** The host has its power and its network again, and drover takes it back. */
    async bringBack(host: string): Promise<void> {
      await world.lab.boot(host);
      await world.ok('host', 'readmit', host);
    },

    lastBoot: async (name: string) => (await world.judge.ticks(name)).at(-1)?.boot,

    /** What the guest said of the boot that its disk knew, when it started last: `n=41 boot=77ee12ab name=web`. */
    before(name: string, host: string): string {
      const log = readFileSync(world.lab.hostPaths(host).serialLog(name), 'latin1');
      return /prev=\[([^\]]*)\]/.exec(log.slice(log.lastIndexOf('GUEST UP')))?.[1] ?? '';
    },

    async close() {
      watcher?.stop();
      north.kill('SIGTERM');
      await north;
      await world.close();
    },
  };
}

async function configure(lab: Lab): Promise<string> {
  await lab.nas('start');
  const bmcs = await Promise.all(['host1', 'host2'].map((host) => lab.bmc(host)));
  const devices = bmcs.map(
    ({ host, address, user, passwordFile }) => `    ${host}:
      - agent: fence_redfish
        with: { ip: ${address}, username: ${user}, ssl_insecure: true, power_timeout: 5 }
        secrets: { password: "file:${passwordFile}" }
        limit: 15s`,
  );
  return `fencing:
  check: never
  hosts:
${devices.join('\n')}
recovery:
  vantages: [north, south]
  confirm: 3s
  ask_every: 1s
  settle: 1s
  budget: { zone: 9, fleet: 9 }
  retry_every: 5s
`;
}

/** A service of the host, as lab/worker.sh installs its worker: it starts now and at every boot. */
async function install(
  lab: Lab,
  host: string,
  name: string,
  env: Record<string, string>,
  command: readonly string[],
): Promise<void> {
  const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');
  const settings = Object.entries(env).map(([key, value]) => `export ${key}='${value}'`);
  writeFileSync(
    join(lab.hostRoot(host), 'boot.d', `${name}.sh`),
    ['#!/bin/bash', ...settings, `exec ${quoted(command)}`, ''].join('\n'),
  );
  const { pid } = await lab.hostNamed(host);
  process.kill(pid ?? 0, 'SIGUSR1');
}
