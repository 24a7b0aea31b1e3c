/** What a simulated datacenter has of an instance: what nobody but its judge can see at once. */
import type { Datacenter } from '../../activities/simulator/datacenter.js';
import { storeOf } from '../../activities/simulator/files.js';
import { copiesOf } from '../../activities/simulator/guests.js';
import { activeMigration } from '../../activities/simulator/migration-rows.js';
import type { Instance } from '../../model/instance.js';

export interface Reality {
  /** Where it runs or is frozen: more than one is the disaster. */
  alive: { host: string; power: string }[];
  /** Every host that has a guest of it, in whatever state. */
  known: string[];
  /** What its guest has where its record says that it is: vCPUs/MiB; null where there is none. */
  size: string | null;
  /** Where its memory is saved. */
  saved: string[];
  migration: string | null;
  /** Its disks, as `store:path`: those that there are, those that the record names, and those of both. */
  files: string[];
  owned: string[];
  missing: string[];
  /** Of which a note says that drover made them. */
  made: string[];
  /** Hosts that offer a disk of it to others. */
  exports: string[];
  /** Of any instance. */
  probes: string[];
}

export function realityOf(datacenter: Datacenter, it: Instance): Promise<Reality> {
  return datacenter.transact((tx) => {
    const copies = copiesOf(tx, it.id);
    const on = (host: string, path: string) => `${storeOf(tx, host, path)}:${path}`;
    const files = tx
      .all<{ store: string; path: string }>(
        `select store, path from files where path like '%/' || ? or path like '%/' || ? order by store, path`,
        `${it.id}.qcow2`,
        `${it.name}.qcow2`,
      )
      .map(({ store, path }) => `${store}:${path}`);
    const named = it.host === null || it.state === 'deleted' ? [] : it.disks.map(({ path }) => path);
    const { resized } = it;
    const kept = it.state === 'deleted' || resized === null ? [] : resized.copied;
    const owned = [
      ...named.map((path) => on(it.host ?? '', path)),
      ...kept.map((path) => on(resized?.host ?? '', path)),
    ];
    const home = copies.find(({ host }) => host === it.host);
    const running = activeMigration(tx, it.id);
    return {
      alive: copies.filter(({ power }) => power === 'running' || power === 'paused'),
      known: copies.map(({ host }) => host),
      size: home === undefined ? null : `${home.vcpus}/${home.memory_mib}`,
      saved: copies.filter(({ managed_save }) => managed_save === 1).map(({ host }) => host),
      migration: running ? `${running.source} → ${running.target}` : null,
      files,
      owned,
      missing: owned.filter((file) => !files.includes(file)),
      made: tx
        .all<{ host: string; path: string }>('select host, path from made where instance = ?', it.id)
        .map(({ host, path }) => on(host, path)),
      exports: tx
        .all<{ host: string }>('select host from exports where instance = ?', it.id)
        .map(({ host }) => host),
      probes: tx
        .all<{ store: string; path: string }>(`select store, path from files where format = 'probe'`)
        .map(({ store, path }) => `${store}:${path}`),
    };
  });
}
