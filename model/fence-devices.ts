/** The fence devices of hosts as drover.yaml names them: `config/fencing.ts` reads it. */

export interface FenceDeviceConfig {
  level: number;
  agent: string;
  with: Record<string, string>;
  /** References: `env:NAME`, or `file:` and an absolute path. */
  secrets: Record<string, string>;
  uuid: string | null;
  /** The operator's word that it is the device of this host, where it can't tell whose power it has. */
  trustBinding: boolean;
  limitSeconds: number;
}

export interface FencingConfig {
  hosts: Record<string, FenceDeviceConfig[]>;
  /** null for never. */
  checkEverySeconds: number | null;
  countSelfFence: boolean;
}
