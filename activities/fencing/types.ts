/** The names and shapes of the activities that fence; done by the recovery workers, which alone know the devices' secrets. */
import type { HostRef } from '../../model/host.js';
import type { CheckedHost, SelfFence } from '../../model/fence-check.js';
import type { Binding, FenceAnswer, FenceDevice } from './port.js';

export interface FencingActivities {
  fenceDevices(input: { host: HostRef }): Promise<{ devices: FenceDevice[] }>;
  /** Binding and power, without changing anything. */
  fenceStatus(input: {
    host: HostRef;
    device: string;
    systemUuid: string | null;
  }): Promise<{ binding: Binding; answer: FenceAnswer }>;
  /** `off`, then a look whether it is. Idempotent: what is off stays off. Refused where the binding is `other` or `unknown`. */
  fenceOff(input: {
    host: HostRef;
    device: string;
    systemUuid: string | null;
    incident: string;
  }): Promise<{ binding: Binding; answer: FenceAnswer }>;
  fenceOn(input: { host: HostRef; device: string }): Promise<{ answer: FenceAnswer }>;
  /**
   * Asks the devices of these hosts (null: of all) whether they would do their work, changes nothing, and records it.
   * `ask` are the hosts whose workers can tell what the platform has armed there, where that counts.
   */
  checkFences(input: { hosts: string[] | null }): Promise<{ checked: CheckedHost[]; ask: HostRef[] }>;
  /** `heard`: its worker told; else what was known stays for a while, and counts for nothing after that. */
  recordSelfFences(input: {
    seen: { host: string; heard: boolean; armed: SelfFence | null }[];
  }): Promise<void>;
}
