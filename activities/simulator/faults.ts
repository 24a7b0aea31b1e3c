/** The faults that a datacenter can be given, now or at a planned time: by commands, scenarios and tests. */
import { z } from 'zod';
import { durationSchema, parseDuration } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import { didYouMean } from '../../model/did-you-mean.js';
import { bmcStates, setBmc } from './bmc-states.js';
import { callNames } from './call-names.js';
import type { Tx } from './database.js';
import { schedule } from './events.js';
import {
  cutPower,
  cutRack,
  dropStorage,
  hang,
  hangDaemon,
  partition,
  restoreHost,
  setDaemon,
  slow,
} from './host-power.js';
import { guestNamed, onGuestsNamed } from './guest-faults.js';
import { allHosts, requireHost } from './hosts.js';
import { migrationsAt } from './migrations.js';
import { breakStream } from './post-copy.js';
import { setSelfFence } from './self-fence.js';
import { blind, unblind } from './sight.js';

const at = durationSchema.optional().describe('How long after the beginning of a scenario');
const hosts = z.array(z.string().min(1)).min(1).describe('Names of hosts');
const onHosts = <K extends string>(kind: K, says: string) =>
  z.strictObject({ at, do: z.literal(kind), hosts }).describe(says);
const onGuests = <K extends string>(kind: K, says: string) =>
  z
    .strictObject({
      at,
      do: z.literal(kind),
      guests: z.array(z.string().min(1)).min(1).describe('Names of guests'),
    })
    .describe(says);
const call = z.strictObject({
  at,
  call: z.enum(callNames).describe('The call of the hypervisor or the disks'),
  host: z.string().optional().describe('Only calls to this host; default any'),
  nth: z.int().min(1).default(1).describe('Which call from then on: 1 is the next'),
  times: z.int().min(1).default(1).describe('How many calls in a row'),
});

export const faultSchema = z.discriminatedUnion('do', [
  onHosts('crash', 'Power loss: all guests die; definitions and disks stay.'),
  onHosts('restore', 'Takes all faults of the hosts away; one that is off boots.'),
  onHosts('hang', 'The host answers nothing; its guests go on.'),
  onHosts('libvirtd-kill', 'libvirtd dies; the guests go on.'),
  onHosts('libvirtd-hang', 'libvirtd takes connections and answers nothing; the guests go on.'),
  onHosts('libvirtd-start', 'libvirtd is started again, or goes on.'),
  onHosts(
    'storage-loss',
    'The storage that these hosts share with others is gone for them; guests with a disk there stand still.',
  ),
  z
    .strictObject({
      at,
      do: z.enum(['blind', 'unblind']),
      vantage: z.string().min(1).describe('Name of a vantage point'),
      only: hosts.optional().describe('Only these hosts; default all'),
    })
    .describe('A vantage point does not see hosts, or sees them again.'),
  onHosts(
    'break-stream',
    'The streams of post-copy migrations from these hosts break; both halves stand still.',
  ),
  z.strictObject({
    at,
    do: z.literal('partition'),
    hosts,
    from: z.array(z.string()).min(1).optional().describe('Only from these hosts; default from everything'),
  }),
  z.strictObject({
    at,
    do: z.literal('slow'),
    hosts,
    'call-ms': z.int().min(0).optional().describe('How much longer each call takes'),
    bandwidth: z.number().positive().optional().describe('MiB per second for migrations'),
  }),
  onGuests('guest-crash', 'Their processes die.'),
  onGuests('guest-shutdown', 'They shut themselves down.'),
  onGuests('guest-destroy', 'Somebody ends them by hand.'),
  onGuests('guest-io-error', 'Their disks fail, and they stand still.'),
  onGuests('guest-disk-write', 'Somebody writes to their disks behind their back.'),
  onGuests('guest-boot', 'Somebody starts them by hand, without the memory that was saved.'),
  z
    .strictObject({
      at,
      do: z.literal('bmc'),
      hosts,
      state: z.enum(bmcStates).describe('How their BMCs are from now on'),
      with: z.string().optional().describe('Whose power they have when they are swapped'),
    })
    .describe('What is wrong with the BMCs of these hosts; ok: nothing.'),
  z
    .strictObject({
      at,
      do: z.literal('self-fence'),
      hosts,
      kind: z.enum(['watchdog', 'lease', 'none']),
      seconds: z.int().positive().default(60).describe('After how long of being cut off nothing runs there'),
    })
    .describe('What the platform itself has armed on these hosts, as sbd or a watchdog does.'),
  z.strictObject({ at, do: z.literal('rack-loss'), rack: z.string().describe('Name of a rack') }),
  call.extend({
    do: z.literal('fail'),
    message: z.string().default('internal error: injected by the simulation'),
  }),
  call.extend({ do: z.literal('lose-answer') }),
]);
export type Fault = z.output<typeof faultSchema>;

/** What a scenario file holds: faults, each with its time from the beginning. */
export const scenarioSchema = z.array(faultSchema).min(1);

/** Begins a scenario. Its faults are checked now, and come at their times, whoever runs then. */
export function planFaults(tx: Tx, faults: readonly Fault[]): void {
  for (const fault of faults) check(tx, fault);
  for (const fault of faults) {
    const afterMs = (parseDuration(fault.at ?? '0s') ?? 0) * 1000;
    schedule(tx, tx.now + afterMs, 'fault', { data: JSON.stringify(fault) });
  }
}

/** A planned fault whose time has come. */
export const applyFault = (tx: Tx, data: string): void => giveFault(tx, faultSchema.parse(JSON.parse(data)));

/** The fault happens now. NotFound for a host or a rack that is not there, and then nothing has happened. */
export function giveFault(tx: Tx, fault: Fault): void {
  check(tx, fault);
  switch (fault.do) {
    case 'rack-loss':
      return void cutRack(tx, fault.rack);
    case 'blind':
      return blind(tx, fault.vantage, fault.only ?? null);
    case 'unblind':
      return unblind(tx, fault.vantage, fault.only ?? null);
    case 'fail':
    case 'lose-answer':
      return tx.run(
        'insert into faults (call, host, remaining, times, kind, message) values (?, ?, ?, ?, ?, ?)',
        fault.call,
        fault.host ?? null,
        fault.nth,
        fault.times,
        fault.do,
        fault.do === 'fail' ? fault.message : '',
      );
    case 'guest-crash':
    case 'guest-shutdown':
    case 'guest-destroy':
    case 'guest-io-error':
    case 'guest-disk-write':
    case 'guest-boot':
      return onGuestsNamed(tx, fault);
    case 'crash':
    case 'restore':
    case 'hang':
    case 'libvirtd-kill':
    case 'libvirtd-hang':
    case 'libvirtd-start':
    case 'storage-loss':
    case 'break-stream':
    case 'partition':
    case 'bmc':
    case 'self-fence':
    case 'slow':
      return fault.hosts.forEach((host) => onHost(tx, host, fault));
    default:
      return fault satisfies never;
  }
}

function onHost(tx: Tx, host: string, fault: Extract<Fault, { hosts: string[] }>): void {
  switch (fault.do) {
    case 'crash':
      return cutPower(tx, host);
    case 'restore':
      return restoreHost(tx, host);
    case 'hang':
      return hang(tx, host);
    case 'libvirtd-kill':
      return setDaemon(tx, host, false);
    case 'libvirtd-hang':
      return hangDaemon(tx, host);
    case 'libvirtd-start':
      return setDaemon(tx, host, true);
    case 'storage-loss':
      return dropStorage(tx, host);
    case 'break-stream':
      return migrationsAt(tx, host).forEach((migration) => {
        if (migration.source === host) breakStream(tx, migration);
      });
    case 'partition':
      return partition(tx, host, fault.from ?? null);
    case 'bmc':
      return setBmc(tx, host, fault.state, fault.with ?? null);
    case 'self-fence':
      return setSelfFence(tx, host, fault);
    case 'slow': {
      const link =
        fault.bandwidth === undefined ? null : Math.max(1, Math.round(fault.bandwidth * 1024 ** 2));
      return slow(tx, host, { callMs: fault['call-ms'] ?? null, link });
    }
    default:
      return fault satisfies never;
  }
}

function check(tx: Tx, fault: Fault): void {
  if ('guests' in fault) return fault.guests.forEach((name) => void guestNamed(tx, name));
  if (fault.do === 'rack-loss') return requireRack(tx, fault.rack);
  if ('hosts' in fault) for (const host of fault.hosts) requireHost(tx, host);
  if ('vantage' in fault) for (const host of fault.only ?? []) requireHost(tx, host);
  if (fault.do === 'partition') for (const host of fault.from ?? []) requireHost(tx, host);
  if ('host' in fault && fault.host !== undefined) requireHost(tx, fault.host);
}

function requireRack(tx: Tx, rack: string): void {
  const racks = [...new Set(allHosts(tx).map((host) => host.rack))];
  if (racks.includes(rack)) return;
  const meant = didYouMean(rack, racks);
  throw new DroverError('NotFound', `the datacenter has no rack "${rack}"`, {
    details: { rack, racks },
    hint: meant === undefined ? `its racks are ${racks.join(', ') || 'none'}` : `did you mean "${meant}"?`,
  });
}

/** What happens to this call; it counts as one more call. */
export function strike(
  tx: Tx,
  name: string,
  host: string,
): { kind: 'fail' | 'lose-answer'; message: string } | null {
  const rules = tx.all<{
    id: number;
    remaining: number;
    times: number;
    kind: 'fail' | 'lose-answer';
    message: string;
  }>('select * from faults where call = ? and (host is null or host = ?) order by id', name, host);
  let struck: (typeof rules)[number] | null = null;
  for (const rule of rules) {
    if (rule.remaining > 1) tx.run('update faults set remaining = remaining - 1 where id = ?', rule.id);
    else if (struck === null) {
      struck = rule;
      if (rule.times > 1) tx.run('update faults set times = times - 1 where id = ?', rule.id);
      else tx.run('delete from faults where id = ?', rule.id);
    }
  }
  return struck;
}
