/** The port to fence devices: how a host is cut off its power, and how sure that is. */
import type { HostRef } from '../../model/host.js';

/** One device of a host; those of the same level are tried as one, all must do it. */
export interface FenceDevice {
  /** For people: `host1/1 (fence_redfish)`. */
  name: string;
  /** 1 is tried first. */
  level: number;
}

/** What a device says; `error` is one sentence, with what to do, and never holds a secret. */
export type FenceAnswer =
  | { ok: true; power: 'on' | 'off'; seconds: number }
  | {
      ok: false;
      why: 'unreachable' | 'refused' | 'hung' | 'deaf' | 'failed';
      error: string;
      seconds: number;
    };

/**
 * Whether the device is that of the host: `same`; `other`; `unknown` where the device can't tell, and `trusted` where it
 * can't, and the operator says so in its place. Only `same` and `trusted` are told to cut anything off.
 */
export interface Binding {
  binding: 'same' | 'other' | 'unknown' | 'trusted';
  /** As the device tells it. */
  systemUuid: string | null;
  says: string;
}

/**
 * Every call has a limit of its own, whatever the agent does. No call throws for what a device did: that is an answer.
 * There is `off`, and `on` for the readmission that asks for it; never a reboot, which would start the host in mid-evacuation.
 */
export interface Fencing {
  /** In the order of their levels; empty where the host has none. */
  devices(host: HostRef): Promise<FenceDevice[]>;
  /** Whether what the platform itself has armed on the host (a watchdog, leases) counts for anything. */
  countsSelfFence(host: HostRef): Promise<boolean>;
  /** Compares with the system UUID that the hypervisor told while it lived (null: never asked). */
  identify(host: HostRef, device: string, systemUuid: string | null): Promise<Binding>;
  status(host: HostRef, device: string): Promise<FenceAnswer>;
  /** Cuts the power and looks whether it is off. */
  off(host: HostRef, device: string): Promise<FenceAnswer>;
  on(host: HostRef, device: string): Promise<FenceAnswer>;
}
