/** `npm run demo -- --lab`: the drain on real libvirt hosts, by the very commands that the README names. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { openLab, type Lab } from '../../lab/lab.js';
import { DroverError } from '../../model/errors.js';
import { findTemporal } from '../../temporal/binary.js';
import { withoutTemporal } from '../../temporal/child.js';
import { DevSession } from '../../temporal/dev-session.js';
import { portNear } from '../../temporal/ports.js';
import { openPorts } from '../../worker/ports.js';
import { paint } from '../paint.js';
import { takeFolder } from './folder.js';
import { Unexpected, type Teller } from './tell.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));
const hosts = ['host1', 'host2', 'host3'];
const guests = 6;
const drained = 'host1';

/** A lab of its own, beside one that the user may have. */
const ownDir = '/var/lib/drover-demo-lab';
const ownNet = 99;

export async function playLab(dataDir: string, tell: Teller, signal: AbortSignal): Promise<void> {
  const lab = await takeLab();
  const folder = await takeFolder(dataDir, tell.line);
  const file = join(dataDir, 'drover.yaml');
  writeFileSync(file, 'cloud: lab\ndata: .\n');
  let session: DevSession | undefined;
  try {
    tell.act(`${hosts.length} real libvirt hosts on this machine, ${guests} guests that count`);
    await lab.up(hosts.length);
    signal.throwIfAborted();
    await lab.fleet(guests);
    signal.throwIfAborted();
    const { path: binary } = await findTemporal({ say: tell.line, signal });
    const ip = await lab.gateway();
    const [port, uiPort] = [await portNear(ip, 7233), await portNear(ip, 8233)];
    const worker = {
      name: 'worker',
      command: process.execPath,
      args: [main, 'worker', '--config', file],
      readyWhen: '"state":"RUNNING"',
    };
    const options = { binary, dataDir, ip, port, uiPort, children: [worker], say: tell.line, follow: false };
    session = await DevSession.start(options, signal);
    await session.untilReady(signal);
    tell.say(`Temporal UI, while this runs: ${paint.underline(session.uiUrl)}`);
    await commands(lab, file, tell, signal);
    await verdict(lab, dataDir, tell);
  } finally {
    if (signal.aborted) tell.end();
    tell.say('Taking everything down.');
    await session?.end(signal.aborted ? AbortSignal.abort() : signal);
    await lab.wipe();
    folder.release();
  }
}

/** What this demo would wipe at its end must be its own from the beginning. */
async function takeLab(): Promise<Lab> {
  const given = process.env['DROVER_LAB_DIR'];
  if (given === undefined) {
    const lab = openLab({ dir: ownDir, net: ownNet });
    if (existsSync(ownDir)) await lab.wipe();
    return lab;
  }
  const lab = openLab();
  const there = existsSync(given) ? await lab.status() : [];
  if (there.length === 0) return lab;
  throw new DroverError('WrongState', `there is a lab in ${given} already, and the demo would wipe it`, {
    hint: 'wipe it with `drover lab wipe`, or leave DROVER_LAB_DIR out: the demo has a lab of its own then',
  });
}

async function commands(lab: Lab, config: string, tell: Teller, signal: AbortSignal): Promise<void> {
  const env = { ...withoutTemporal(), DROVER_CONFIG: config, DROVER_LAB_DIR: lab.dir };
  const run = async (...words: string[]): Promise<void> => {
    tell.say(paint.cyan(`$ drover ${words.join(' ')}`));
    const { exitCode } = await execa(process.execPath, [main, ...words], {
      env,
      extendEnv: false,
      stdio: ['ignore', 'inherit', 'inherit'],
      reject: false,
      cancelSignal: signal,
    });
    signal.throwIfAborted();
    if (exitCode !== 0) throw new Unexpected(`drover ${words.join(' ')} ended with ${exitCode}`);
  };
  for (const host of hosts) {
    await run('host', 'add', host, '--uri', await lab.uri(host));
    await run('lab', 'worker', host);
    await run('instance', 'adopt', host, '--all');
  }
  await run('host', 'list');
  await run('host', 'drain', drained);
  await run('host', 'list');
}

/** What the hypervisors say, each asked by itself. */
async function verdict(lab: Lab, dataDir: string, tell: Teller): Promise<void> {
  const ports = openPorts({ dataDir });
  const seen = await Promise.all(
    hosts.map(async (name) => ({
      name,
      running: (await ports.hypervisor.list({ name, uri: await lab.uri(name) }))
        .filter(({ power }) => power === 'running')
        .map((guest) => guest.name),
    })),
  );
  ports.close();
  const all = seen.flatMap(({ running }) => running);
  if (all.length !== guests || new Set(all).size !== guests) {
    throw new Unexpected(`of ${guests} guests these run: ${all.join(', ')}`);
  }
  const left = seen.find(({ name }) => name === drained)?.running ?? [];
  if (left.length > 0) throw new Unexpected(`${drained} still runs ${left.join(', ')}`);
  tell.say(
    paint.green(`Verdict of libvirt: all ${guests} guests run, each on one host, none on ${drained}.`),
  );
}
