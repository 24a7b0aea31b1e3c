/** The datacenters of a data folder: one file each, `datacenter-<name>.db`. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DroverError } from '../../model/errors.js';
import type { Clock } from '../clock.js';
import { openDatacenter, type Datacenter } from './datacenter.js';

export interface Datacenters {
  /** Names of those that there are. */
  names(): string[];
  /** Opened once. NotFound when there is none of that name. */
  get(name: string): Datacenter;
  /** As `get`, but makes one that is not there. */
  make(name: string): Datacenter;
  close(): void;
}

export function openDatacenters(dataDir: string, clock: Clock): Datacenters {
  const open = new Map<string, Datacenter>();
  const fileOf = (name: string): string => join(dataDir, `datacenter-${checkedName(name)}.db`);
  const names = (): string[] =>
    (existsSync(dataDir) ? readdirSync(dataDir) : [])
      .flatMap((file) => /^datacenter-([a-z][a-z0-9-]{0,30})\.db$/.exec(file)?.[1] ?? [])
      .toSorted();

  function make(name: string): Datacenter {
    const known = open.get(name) ?? openDatacenter({ path: fileOf(name), name, clock });
    open.set(name, known);
    return known;
  }
  return {
    names,
    make,
    get(name) {
      if (open.has(name) || existsSync(fileOf(name))) return make(name);
      const there = names();
      throw new DroverError('NotFound', `there is no simulated datacenter "${name}" in ${dataDir}`, {
        details: { datacenter: name, dataDir, datacenters: there },
        hint:
          there.length > 0
            ? `there is ${there.join(', ')}`
            : 'make one with `drover sim create`, or name its data folder with --data',
      });
    },
    close: () => open.forEach((datacenter) => datacenter.close()),
  };
}

function checkedName(name: string): string {
  if (/^[a-z][a-z0-9-]{0,30}$/.test(name)) return name;
  throw new DroverError(
    'InvalidInput',
    `"${name}" is no name for a datacenter: small letters, digits and dashes, at most 31`,
  );
}
