/** What is known of a host's fencing while it lives: recorded, since nobody can ask once it is silent. */
import { z } from 'zod';

/**
 * What the platform itself does when the host loses its network: resets it by its watchdog (`watchdog`), or lets the leases
 * on its guests' disks run out (`lease`). Only what silence alone sets off is counted: docs/fencing.md.
 */
export const selfFence = z.object({
  kind: z.enum(['watchdog', 'lease']),
  /** From the moment at which it is cut off until nothing runs on it for certain. */
  seconds: z.number(),
  says: z.string(),
});
export type SelfFence = z.infer<typeof selfFence>;

/** `hosts.armed`: as it was seen last; `at` is RFC 3339 in UTC. */
export const armed = selfFence.extend({ at: z.string() });
export type Armed = z.infer<typeof armed>;

/** How a fence device was when it was looked at last. */
export const deviceCheck = z.object({
  device: z.string(),
  level: z.number(),
  binding: z.enum(['same', 'other', 'unknown', 'trusted']),
  bindingSays: z.string(),
  /** null where it did not answer; `error` tells why. */
  power: z.enum(['on', 'off']).nullable(),
  error: z.string().nullable(),
  seconds: z.number(),
});
export type DeviceCheck = z.infer<typeof deviceCheck>;

/** `hosts.fence_devices`. */
export const fenceCheck = z.object({ at: z.string(), devices: z.array(deviceCheck) });
export type FenceCheck = z.infer<typeof fenceCheck>;

export interface CheckedHost {
  host: string;
  devices: DeviceCheck[];
  /** Its hypervisor answers, by the last probe. */
  up: boolean;
}

/** Whether a device has the power of its host, by its own word or the operator's: only then is it told to cut anything off. */
export const isBound = ({ binding }: { binding: DeviceCheck['binding'] }): boolean =>
  binding === 'same' || binding === 'trusted';

/**
 * A device that would do its work: it answers, and is that of the host, by its own word or the operator's. One that says off of a host that answers
 * lies, or has the power of another one.
 */
export const isReady = (device: DeviceCheck, { up }: Pick<CheckedHost, 'up'>): boolean =>
  isBound(device) && device.power !== null && !(device.power === 'off' && up);
