/**
 * From the evidence that a real host is off to its first and its last guest running on another: against a plain shell script
 * that defines and starts as many guests of the same kind there, all at a time. Guests go to and fro between two hosts.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { execa } from 'execa';
import { transact } from '../activities/inventory/database.js';
import { listIncidentEvents, listIncidents } from '../activities/inventory/incidents.js';
import { answerIncident } from '../client/incident-asks.js';
import { startOperation, waitForResult } from '../client/operations.js';
import { vantageQueue } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import { wrapActivities } from '../worker/envelope.js';
import { vantageHere } from '../worker/ports.js';
import { createControlWorker } from '../worker/worker.js';
import { adopt, makeGuests, startHosts, virsh, type Hosts } from './hosts.js';
import { endsOf, rules, timelineBetween } from './recover.js';
import type { Session } from './session.js';
import { compare } from './statistics.js';
import type { Timeline } from './timeline.js';

const guests = 6;
const pairs = 5;

interface Took {
  /** Seconds from the evidence until the guest runs. */
  first: number;
  last: number;
  timeline?: Timeline;
}

export async function recoverLab(session: Session): Promise<void> {
  const hosts = await startHosts(session);
  await serve(session, hosts);
  session.say(`booting ${guests} guests`);
  const named = (what: string) => Array.from({ length: guests }, (_, index) => `${what}-${index + 1}`);
  const mine = await makeGuests(hosts, 'shared', named('by-drover'));
  for (const guest of mine) await adopt(hosts, guest);
  const byHand = await definitions(session, hosts, named('by-hand'));
  const taken: { ours: Took[]; baseline: Took[] } = { ours: [], baseline: [] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const [lost, target] = pair % 2 === 0 ? hosts.refs : hosts.refs.toReversed();
    if (lost === undefined || target === undefined) continue;
    const ids = mine.map(({ id }) => id);
    const ours = async () => taken.ours.push(await recoverHost(session, hosts, lost, ids));
    const baseline = async () => taken.baseline.push(await byScript(target, byHand));
    for (const side of pair % 2 === 0 ? [ours, baseline] : [baseline, ours]) {
      session.signal.throwIfAborted();
      await side();
      // Guests that boot take the processors from what comes next.
      await sleep(bootSeconds * 1000);
    }
    session.say(`${pair + 1}/${pairs}: ours ${text(taken.ours)}, baseline ${text(taken.baseline)}`);
    await bringBack(hosts, lost);
  }
  for (const which of ['first', 'last'] as const) {
    const of = (side: Took[]) => side.map((took) => took[which]);
    const about = { bench: 'recover-lab', case: `evidence to the ${which} of ${guests} guests`, unit: 's' };
    const row = compare(about, { ours: of(taken.ours), baseline: of(taken.baseline) });
    session.tell({ ...row, goal: 'ours <= 1.3 * baseline', goalMet: row.ours <= 1.3 * row.baseline });
  }
  for (const { timeline } of taken.ours)
    session.tell({ bench: 'recover-lab', case: 'timeline', unit: 'ms', ...timeline });
}

const bootSeconds = 8;
const text = (side: Took[]): string => {
  const { first = NaN, last = NaN } = side.at(-1) ?? {};
  return `${first.toFixed(2)} to ${last.toFixed(2)} s`;
};

/** Who does recoveries, and two who look; both hosts have the shared directory, as is declared. */
async function serve(session: Session, { drover }: Hosts): Promise<void> {
  const { cloud, common, inventory, ports, connection } = drover;
  const storage = JSON.stringify({ shared: '/srv/shared' });
  await transact(inventory, (trx) => trx.updateTable('hosts').set({ storage }).execute());
  const { client } = connection;
  const create = { cloud, inventory, client, common, ports, queue: 'recovery', rules } as const;
  const workers = [
    await createControlWorker(create),
    ...(await Promise.all(
      rules.vantages.map((vantage) =>
        Worker.create({
          ...common,
          taskQueue: vantageQueue(cloud, vantage),
          activities: wrapActivities(vantageHere(vantage), null),
        }),
      ),
    )),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  session.atEnd(async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
}

/** The power goes; a person attests it, since it has no BMC. What is measured begins with that. */
async function recoverHost(
  { signal }: Session,
  { lab, drover }: Hosts,
  lost: HostRef,
  ids: readonly string[],
): Promise<Took> {
  const { inventory } = drover;
  await lab.crash(lost.name);
  const answer = await startOperation(drover, { operation: 'host.recover', input: { host: lost.name } });
  if (answer.kind !== 'started') throw new DroverError('Internal', 'it was recovered before');
  for (;;) {
    const [incident] = await listIncidents(inventory, { host: lost.name, open: true });
    if (incident !== undefined && incident.waitsFor !== null) {
      await answerIncident(drover, incident, 'attest', 'its power was cut by the benchmark');
      break;
    }
    signal.throwIfAborted();
    await sleep(200);
  }
  await waitForResult(drover, answer.started, { signal });
  const [incident] = await listIncidents(inventory, { host: lost.name });
  const log = await listIncidentEvents(inventory, incident?.id ?? '');
  const proven = Date.parse(log.find(({ phase }) => phase === 'fenced')?.at ?? '');
  await endsOf(drover, ids, proven);
  const timeline = await timelineBetween(drover, { evidence: proven, recovery: answer.started, ids });
  const { first, last } = timeline.running;
  return { first: first / 1000, last: last / 1000, timeline };
}

const script = `for xml in "$@"; do
  (virsh -q -c "$URI" define "$xml" && virsh -q -c "$URI" start "$(basename "$xml" .xml)" && date +%s%3N) &
done
wait`;

async function byScript(target: HostRef, files: readonly string[]): Promise<Took> {
  const begun = Date.now();
  const { stdout } = await execa('bash', ['-c', script, 'recover', ...files], { env: { URI: target.uri } });
  const ends = stdout.split(/\s+/).filter(Boolean).map(Number);
  if (ends.length !== files.length) throw new DroverError('Internal', `${ends.length} guests were started`);
  for (const file of files) {
    const name = file.replace(/^.*\/|\.xml$/g, '');
    await virsh(target, 'destroy', name);
    await virsh(target, 'undefine', name);
  }
  return { first: (Math.min(...ends) - begun) / 1000, last: (Math.max(...ends) - begun) / 1000 };
}

async function definitions(
  session: Session,
  { lab, refs: [home] }: Hosts,
  names: readonly string[],
): Promise<string[]> {
  const dir = session.folder();
  const files: string[] = [];
  for (const name of names) {
    await lab.createGuest({ name, host: home.name, disk: 'shared', start: false });
    const file = join(dir, `${name}.xml`);
    writeFileSync(file, await lab.exec(home.name, ['virsh', '-q', 'dumpxml', '--inactive', name]));
    await virsh(home, 'undefine', name);
    files.push(file);
  }
  return files;
}

async function bringBack({ lab, drover }: Hosts, host: HostRef): Promise<void> {
  await lab.boot(host.name);
  const answer = await startOperation(drover, { operation: 'host.readmit', input: { host: host.name } });
  if (answer.kind !== 'started') throw new DroverError('Internal', 'it was readmitted before');
  await waitForResult(drover, answer.started, {});
}
