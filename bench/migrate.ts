/** A live migration by drover, against `virsh migrate` of the same kind of guest in the same minute. */
import { startOperation, waitForResult } from '../client/operations.js';
import { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import { alternate, timed } from './alternate.js';
import { adopt, driver, makeGuests, startHosts, virsh, type Guest, type Hosts } from './hosts.js';
import { medianPhases, phasesOf, type Phases } from './phases.js';
import type { Session } from './session.js';
import { compare, type Samples } from './statistics.js';

interface Course {
  bench: string;
  disk: 'shared' | 'local';
  copies: boolean;
}

export const liveMigrate = (session: Session): Promise<void> =>
  measure(session, { bench: 'live-migrate', disk: 'shared', copies: false });

export const blockMigrate = (session: Session): Promise<void> =>
  measure(session, { bench: 'block-migrate', disk: 'local', copies: true });

/** Even: both guests are on their first host again. */
const WARM_UP = 2;
const PAIRS = 12;

async function measure(session: Session, { bench, disk, copies }: Course): Promise<void> {
  const hosts = await startHosts(session);
  session.say('booting two guests');
  const guests = await makeGuests(hosts, disk, ['by-drover', 'by-hand']);
  const [byDrover, byHand] = guests as [Guest, Guest];
  await adopt(hosts, byDrover);
  const phases: Phases[] = [];
  const downtime: Samples = { ours: [], baseline: [] };
  const move = (guest: Guest, side: keyof Samples, work: Mover) => {
    let turn = 0;
    return async (): Promise<number> => {
      const [first, second] = hosts.refs;
      const [source, target] = turn % 2 === 0 ? [first, second] : [second, first];
      turn += 1;
      const ms = await work(hosts, guest, { source, target });
      if (turn > WARM_UP) downtime[side].push(await downtimeOf(guest, target));
      return ms;
    };
  };
  const ours = move(byDrover, 'ours', async (...how) => {
    const [ms, where] = await moveByDrover(session, ...how);
    phases.push(where);
    return ms;
  });
  const baseline = move(byHand, 'baseline', copies ? copyByHand : moveByHand);
  const samples = await alternate({ session, n: PAIRS, warmUp: WARM_UP, ours, baseline });

  const total = compare({ bench, case: 'total', unit: 'ms' }, samples);
  const goalMet = total.ours <= 1.05 * total.baseline + 300;
  session.tell({ ...total, goal: 'ours <= 1.05 * baseline + 300', goalMet });
  session.tell(compare({ bench, case: 'downtime', unit: 'ms' }, downtime));
  session.tell({ bench, case: 'phases', unit: 'ms', n: PAIRS, ours: medianPhases(phases.slice(WARM_UP)) });
}

type Way = { source: HostRef; target: HostRef };
type Mover = (hosts: Hosts, guest: Guest, way: Way) => Promise<number>;

async function moveByDrover(
  { signal }: Session,
  { drover }: Hosts,
  guest: Guest,
  { target }: Way,
): Promise<[ms: number, phases: Phases]> {
  let workflow = { workflowId: '', runId: undefined as string | undefined };
  const ms = await timed(async () => {
    const input = { instance: guest.id, host: target.name };
    const answer = await startOperation(drover, { operation: 'instance.live-migrate', input });
    if (answer.kind !== 'started') throw new DroverError('Internal', 'this operation was done before');
    workflow = answer.started;
    await waitForResult(drover, answer.started, { signal });
  });
  const handle = drover.connection.client.workflow.getHandle(workflow.workflowId, workflow.runId);
  return [ms, phasesOf(await handle.fetchHistory(), ms)];
}

async function moveByHand(_hosts: Hosts, { id }: Guest, { source, target }: Way, ...more: string[]) {
  const how = ['--live', '--p2p', '--persistent', '--undefinesource', ...more];
  return timed(() => virsh(source, 'migrate', ...how, id, target.uri));
}

/** Making the disk on the target, and removing the old one, is not measured: drover does both in its time. */
async function copyByHand({ lab, ...hosts }: Hosts, guest: Guest, way: Way): Promise<number> {
  const paths = guest.disks.map((disk) => disk.path);
  for (const path of paths)
    await lab.exec(way.target.name, ['qemu-img', 'create', '-q', '-f', 'qcow2', path, '64M']);
  const ms = await moveByHand({ lab, ...hosts }, guest, way, '--copy-storage-all');
  await lab.exec(way.source.name, ['rm', ...paths]);
  return ms;
}

/** As libvirt measured it. */
async function downtimeOf({ id, name }: Guest, target: HostRef): Promise<number> {
  const figures = await driver.completedMigration(target, id);
  if (figures === null || figures.downtimeMs === null)
    throw new DroverError('HypervisorError', `${target.name} does not tell the downtime of ${name}`);
  return figures.downtimeMs;
}
