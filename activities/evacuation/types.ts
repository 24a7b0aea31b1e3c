/** The names and shapes of the activities that bring an instance of a lost host back elsewhere. */
import type { HostRef } from '../../model/host.js';
import type { PowerState } from '../../model/instance.js';
import type { Guest } from '../hypervisor/types.js';

/** `lost`: the host that is fenced. Every step asks again whether that still holds. */
interface Lost {
  lost: string;
}

export interface EvacuationActivities {
  /**
   * Ends the operation that runs on an instance of a fenced host: asks it to end, waits so long, and takes its ownership
   * away before it terminates it, so that what is late of it fails. FencingRequired where nothing of it is fenced.
   */
  supersedeOperation(input: { instance: string; seconds: number }): Promise<{
    superseded: { operation: string; kind: string; ended: 'by itself' | 'terminated' } | null;
  }>;
  /**
   * What an evacuation goes by. `lost` null: the instance is on no fenced host (any more). `beside`: the other host of
   * its last migration, where something of it may be.
   */
  evacuationOf(input: { instance: string }): Promise<{
    lost: HostRef | null;
    beside: HostRef | null;
  }>;
  /** Ends halves of the guest on a host, and removes its definition; WrongState where it lives there. */
  clearBeside(input: Guest): Promise<void>;
  /** Defines the guest from what was seen of it last. */
  defineEvacuated(input: Guest & Lost): Promise<void>;
  startEvacuated(input: Guest & Lost): Promise<{ power: PowerState }>;
}
