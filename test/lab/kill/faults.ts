/** What strikes a wave, and how the machine is whole again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../world.js';
import type { Position } from './plan.js';

export const killFaults = [
  'worker',
  'Temporal',
  'libvirtd of source',
  'libvirtd of target',
  'power of target',
] as const;
export type KillFault = (typeof killFaults)[number];

/** Where it is worst: done and not told, or about to meet what is dead. */
export const positionOf = (fault: KillFault): Position =>
  fault === 'worker' || fault === 'Temporal' ? 'after' : 'before';

/** Of these only the source or only the target may be struck: all of a wave move the same way. */
export const hasSides = (fault: KillFault): boolean => positionOf(fault) === 'before';

export interface Blow {
  fault: KillFault;
  /** Of all operations where the fault has sides. */
  source: string;
  target: string;
  /** Hosts whose own workers hold a step. */
  onHosts: string[];
}

export async function strike(world: World, { fault, source, target, onHosts }: Blow): Promise<void> {
  if (fault === 'worker') {
    await Promise.all([world.killWorker(), ...onHosts.map((host) => world.lab.worker(host, 'kill'))]);
  } else if (fault === 'Temporal') await world.killTemporal();
  else if (fault === 'power of target') await world.lab.crash(target);
  else await world.lab.libvirtd(fault === 'libvirtd of source' ? source : target, 'kill');
}

/** Power is given back later, once all have ended without it. */
export async function mend(world: World, { fault, source, target, onHosts }: Blow): Promise<void> {
  if (fault === 'worker') {
    world.startWorker();
    for (const host of onHosts) await world.lab.worker(host, 'start');
  } else if (fault === 'Temporal') {
    await sleep(1000);
    await world.startTemporal();
  } else if (fault !== 'power of target') {
    await sleep(1000);
    await world.lab.libvirtd(fault === 'libvirtd of source' ? source : target, 'start');
  }
}
