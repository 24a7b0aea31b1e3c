/** What the test tells its worker process, in a file. */
export const names = { cloud: 'proof', datacenter: 'sim' } as const;

export interface Kill {
  workflowId: string;
  /** Of its activities, from 1, as Temporal numbers them. */
  step: number;
  position: 'before' | 'after';
}

export interface Order {
  address: string;
  /** Of the inventory and the datacenter. */
  folder: string;
  /** The file of the bundled workflows. */
  bundle: string;
  /** When the datacenter's quick clock began. */
  begun: number;
  kills: Kill[];
  /** Where the worker writes, before it dies, which workflows it had parked. */
  parkedFile: string;
  /** A fault put in on purpose: a host is rebooted whatever boot it runs. */
  mutant?: 'reboots again';
}

/** The id of a workflow that was at its step when the worker died. */
export type Parked = string;
