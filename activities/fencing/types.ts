/** The names and shapes of the activities that fence; done by the recovery workers, which alone know the devices' secrets. */
import type { HostRef } from '../../model/host.js';
import type { DeviceCheck, SelfFence } from '../../model/fence-check.js';
import type { Binding, FenceAnswer, FenceDevice } from './port.js';

export interface FencingActivities {
  fenceDevices(input: { host: HostRef }): Promise<{ devices: FenceDevice[]; countsSelfFence: boolean }>;
  /** Binding and power, without changing anything. */
  fenceStatus(input: {
    host: HostRef;
    device: string;
    systemUuid: string | null;
  }): Promise<{ binding: Binding; answer: FenceAnswer }>;
  /** `off`, then a look whether it is. Idempotent: what is off stays off. Refused where the binding is `other`. */
  fenceOff(input: {
    host: HostRef;
    device: string;
    systemUuid: string | null;
    incident: string;
  }): Promise<{ binding: Binding; answer: FenceAnswer }>;
  fenceOn(input: { host: HostRef; device: string }): Promise<{ answer: FenceAnswer }>;
  /** Keeps what a check saw of a living host; `armed` null also where nobody could tell: what is not known counts for nothing. */
  recordFenceCheck(input: { host: string; devices: DeviceCheck[]; armed: SelfFence | null }): Promise<void>;
}
