/** Which of an instance's disks a host reaches without a copy, by the shared stores that the operator declared. */
import type { Candidate, Wanted } from './request.js';

export interface Store {
  name: string;
  directory: string;
}

/** The store of `host` in which the file lies, the innermost of several; undefined for a disk of the host's own. */
export function storeOf(host: Pick<Candidate, 'storage'> | undefined, path: string): Store | undefined {
  return Object.entries(host?.storage ?? {})
    .map(([name, directory]) => ({ name, directory }))
    .filter(({ directory }) => path.startsWith(`${directory.replace(/\/$/, '')}/`))
    .toSorted((one, other) => other.directory.length - one.directory.length)[0];
}

/** The stores of the source that a host needs so that no disk has to be copied there. */
export function storesOf({ source, subject }: Pick<Wanted, 'source' | 'subject'>): Store[] {
  const found = new Map<string, Store>();
  for (const path of subject.disks) {
    const store = storeOf(source, path);
    if (store) found.set(store.name, store);
  }
  return [...found.values()];
}

/** The same files under the same paths: what is mounted elsewhere is no use to the guest's definition. */
export const hasStore = (host: Pick<Candidate, 'storage'>, { name, directory }: Store): boolean =>
  host.storage[name] === directory;

/** Disks that a move there has to copy, as far as the declarations tell. */
export const disksToCopy = (host: Candidate, { source, subject }: Wanted): number =>
  source === undefined
    ? 0
    : subject.disks.filter((path) => {
        const store = storeOf(source, path);
        return store === undefined || !hasStore(host, store);
      }).length;
