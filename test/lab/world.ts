/**
 * A whole drover on the lab: Temporal, a control worker, a worker in each host, the command line. Everything is
 * a process of its own, as in production, so that each can be killed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { Client, Connection } from '@temporalio/client';
import { openLab, type Lab } from '../../lab/lab.js';
import { findTemporal } from '../../temporal/binary.js';
import { startDevServer, type DevServer } from '../../temporal/dev-server.js';
import { freePort } from '../temporal/helpers.js';
import { main, openCli } from './cli.js';
import { openJudge } from './judge.js';

export type World = Awaited<ReturnType<typeof openWorld>>;

export interface WorldOptions {
  /** Of `drover host add`, beside its address. */
  hostOptions?: string[];
  /** The program that is run as `worker` and `worker --host NAME`; default drover's own. */
  program?: string;
  /** Once the hosts are up: makes ready what they need, and answers what drover.yaml says of it. */
  configure?: (lab: Lab) => Promise<string>;
}

/** Starts from clean hosts and an empty inventory. `guests` become instances by adoption. */
export async function openWorld(
  hosts = 3,
  { hostOptions = [], program = main, configure = async () => '' }: WorldOptions = {},
) {
  const lab = openLab();
  const judge = openJudge(lab);
  await lab.wipe();
  await lab.up(hosts);
  const dir = mkdtempSync(join(tmpdir(), 'drover-world-'));
  const config = join(dir, 'drover.yaml');
  writeFileSync(
    config,
    `cloud: lab\ndata: ${dir}\nidentity: { name: tester, role: admin }\n${await configure(lab)}`,
  );
  const gateway = await lab.gateway();
  const binary = (await findTemporal()).path;
  const [port, uiPort] = [await freePort(), await freePort()];
  const serve = () => startDevServer({ binary, dataDir: dir, ip: gateway, port, uiPort });
  let server: DevServer = await serve();
  const env = { DROVER_CONFIG: config, TEMPORAL_ADDRESS: `${gateway}:${port}`, NO_COLOR: '1' };
  const { drover, ok, json, background } = openCli(dir, { ...process.env, ...env });
  const employer = openCli(dir, { ...process.env, ...env }, program);
  const names = Array.from({ length: hosts }, (_, i) => `host${i + 1}`);

  let worker = startWorker();
  function startWorker() {
    const child = employer.background('worker');
    child.stderr?.on('data', (text: Buffer) => logged.push(String(text)));
    return child;
  }

  const world = {
    lab,
    judge,
    dir,
    env,
    drover,
    ok,
    json,
    background,
    uiUrl: () => server.uiUrl,
    workerLog: () => logged.join(''),
    async client(): Promise<Client> {
      return new Client({ connection: await Connection.connect({ address: env.TEMPORAL_ADDRESS }) });
    },
    /** SIGKILL: no goodbye to Temporal, no abort of anything. */
    async killWorker() {
      worker.kill('SIGKILL');
      await worker;
    },
    async stopWorker() {
      worker.kill('SIGTERM');
      await worker;
    },
    startWorker: () => {
      worker = startWorker();
    },
    async killTemporal() {
      process.kill(server.id.pid, 'SIGKILL');
      await server.exited;
      // What this process forwards for it goes with it.
      await server.stop();
    },
    startTemporal: async () => {
      server = await serve();
    },
    /** Guests as an operator had them before drover; running, counting, and adopted. */
    async guests(
      ...made: { name: string; host: string; disk: 'shared' | 'local' | 'nas'; dirty?: number }[]
    ) {
      for (const guest of made) await lab.createGuest(guest);
      for (const guest of made) await judge.waitForTick(guest.name, 2, 180_000);
      for (const host of new Set(made.map((guest) => guest.host)))
        await ok('instance', 'adopt', host, '--all');
    },
    instance: (name: string) => json<Shown>('instance', 'show', name),
    hosts: () => json<HostShown[]>('host', 'list'),
    async history(name: string) {
      return json<{ operation: string; state: string; error: { code: string } | null }[]>(
        'instance',
        'history',
        name,
      );
    },
    migrating: (name: string, source: string) => migrating(lab, name, source),
    async close() {
      worker.kill('SIGTERM');
      await Promise.race([worker, sleep(15_000)]);
      worker.kill('SIGKILL');
      await server.stop();
      await lab.wipe();
      rmSync(dir, { recursive: true, force: true });
    },
  };

  for (const name of names) {
    const command = [process.execPath, program, 'worker', '--host', name, ...lab.rebootFlags];
    await lab.installWorker(name, command, { env, cwd: dir });
    await ok('host', 'add', name, '--uri', await lab.uri(name), ...hostOptions);
  }
  return world;
}

const logged: string[] = [];

export interface Shown {
  id: string;
  name: string;
  state: string;
  powerState: string;
  host: string | null;
  needsRepair: string | null;
  fault: string | null;
  task: string | null;
}

export interface HostShown {
  name: string;
  state: string;
  enabled: boolean;
  vcpusUsed: number;
  memoryMiBUsed: number;
  slotsUsed: number;
  instances: number;
}

/** Waits for `check`; throws with what was waited for. */
export async function until(
  what: string,
  timeoutMs: number,
  check: () => Promise<boolean> | boolean,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const began = Date.now();
    if (await check()) return;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    // Most checks are a process: asked without a pause they take from the hosts what these need to get there.
    await sleep(Math.min(Math.max(200, Date.now() - began), 1000));
  }
}

/** Waits until the guest's migration is under way as the source's libvirt tells it. */
export async function migrating(lab: Lab, name: string, source: string): Promise<void> {
  const uri = await lab.uri(source);
  await until(`${name} is migrating`, 90_000, async () => {
    const { stdout } = await execa('virsh', ['-c', uri, 'domjobinfo', name], { reject: false });
    return /Operation:\s+Outgoing migration/.test(stdout) && /Time elapsed:/.test(stdout);
  });
}

/**
 * What must hold whenever nothing runs, judged by qemu's processes and libvirt's files; drover's own word is
 * only compared with them.
 */
export async function assertOneGuest(world: World, name: string, host: string): Promise<void> {
  const copies = await world.judge.copies(name);
  const where = copies.map((copy) => `${copy.host} (${copy.state})`).join(', ') || 'nowhere';
  if (copies.length !== 1 || copies[0]?.host !== host)
    throw new Error(`${name} should run on ${host} alone; it runs on ${where}`);
  const defined = await world.judge.definitions(name);
  if (defined.join() !== host)
    throw new Error(`${name} should be defined on ${host} alone; it is on ${defined.join(', ')}`);
  const shown = await world.instance(name);
  if (shown.host !== host || shown.task !== null) {
    throw new Error(`the record of ${name} says ${shown.host}, task ${shown.task}; it runs on ${host}`);
  }
  await assertAllocations(world);
}

/**
 * Each host's allocations are what libvirt says is defined and runs there, in number, vCPUs and memory, and no
 * migration slot is held. Hosts that do not answer are left out.
 */
export async function assertAllocations(world: World): Promise<void> {
  for (const host of await world.hosts()) {
    if (host.state !== 'up') continue;
    const uri = await world.lab.uri(host.name);
    const there = await Promise.all(
      (await world.judge.domains(host.name)).map(async ({ name }) => {
        const { stdout } = await execa('virsh', ['-c', uri, 'dominfo', name], { timeout: 10_000 });
        const number = (what: RegExp) => Number(what.exec(stdout)?.[1]);
        return {
          vcpus: number(/^CPU\(s\):\s+(\d+)/m),
          memoryMiB: number(/^Max memory:\s+(\d+) KiB/m) / 1024,
        };
      }),
    );
    const sum = (of: (one: (typeof there)[number]) => number) => there.reduce((all, one) => all + of(one), 0);
    const real = [there.length, sum((one) => one.vcpus), sum((one) => one.memoryMiB), 0];
    const told = [host.instances, host.vcpusUsed, host.memoryMiBUsed, host.slotsUsed];
    if (real.join() !== told.join()) {
      throw new Error(
        `${host.name}: guests, vCPUs, MiB and slots are ${real.join(', ')}; the record says ${told.join(', ')}`,
      );
    }
  }
}
