/**
 * The independent judge of the lab tests. It never asks drover: it looks at the qemu processes of this
 * machine, at libvirt's own lists and files, and at what the guests themselves have counted.
 */
import { readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { XMLParser } from 'fast-xml-parser';
import type { HostStatus, Lab } from '../../lab/lab.js';
import { faults, mergeTicks, type Tick } from './judge-log.js';

export type { Tick } from './judge-log.js';

/** A qemu process of a guest. Two of them are normal during a live migration, and at no other time. */
export interface Copy {
  host: string;
  /** As this machine sees it. */
  pid: number;
  /** libvirt's word for it (`running`, `paused`, ...), or `unknown` when libvirtd doesn't answer. */
  state: string;
}

export interface Unbroken {
  first: Tick;
  last: Tick;
  /** In the order in which the guest was on them. */
  hosts: string[];
}

interface Domain {
  name: string;
  state: string;
}

/** The guest writes its record there: one sector at 63 MiB (lab/guest-init.sh). */
const recordOffset = 63 * 1024 * 1024;

/** For reading what goes away while we look, as processes and files do. */
async function orNothing<T>(work: Promise<T>, nothing: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return nothing;
    throw error;
  }
}

async function virsh(uri: string, ...args: string[]): Promise<string | undefined> {
  const done = await execa('virsh', ['-q', '-c', uri, ...args], {
    reject: false,
    timeout: 10_000,
    stdin: 'ignore',
  });
  return done.failed ? undefined : done.stdout.trim();
}

const pidNamespace = (pid: number | string) => orNothing(readlink(`/proc/${pid}/ns/pid`), '');

async function filesUnder(path: string, seen: string): Promise<string[]> {
  const entries = await orNothing(readdir(path, { withFileTypes: true, recursive: true }), []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath.replace(path, seen), entry.name));
}

export function openJudge(lab: Lab) {
  const running = async (): Promise<HostStatus[]> => (await lab.status()).filter((host) => host.up);

  /** Every qemu process of the guest on any host of this lab. A dead one that is not reaped yet doesn't count. */
  async function copies(name: string): Promise<Copy[]> {
    const hosts = await running();
    const namespaces = new Map(
      await Promise.all(hosts.map(async (host) => [await pidNamespace(host.pid ?? 0), host] as const)),
    );
    const found: Copy[] = [];
    for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
      const words = (await orNothing(readFile(`/proc/${pid}/cmdline`, 'utf8'), '')).split('\0');
      if (!words[words.indexOf('-name') + 1]?.startsWith(`guest=${name},`)) continue;
      const host = namespaces.get(await pidNamespace(pid));
      if (!host) continue;
      const state = (await virsh(host.uri, 'domstate', name)) ?? 'unknown';
      found.push({ host: host.name, pid: Number(pid), state });
    }
    return found.toSorted((one, other) => one.host.localeCompare(other.host));
  }

  /** libvirt's own list of a host: everything that runs or is defined there. */
  async function domains(host: string): Promise<Domain[]> {
    const uri = await lab.uri(host);
    const names = await virsh(uri, 'list', '--all', '--name');
    if (names === undefined) throw new Error(`libvirtd of ${host} does not answer`);
    return Promise.all(
      names
        .split('\n')
        .filter(Boolean)
        .map(async (name) => ({ name, state: (await virsh(uri, 'domstate', name)) ?? 'gone' })),
    );
  }

  /**
   * Hosts that have a persistent definition of the guest: those could start it. It reads the files, so that
   * hosts which are down count as well: their definition is back when they are.
   */
  async function definitions(name: string): Promise<string[]> {
    const hosts = await lab.status();
    const has = await Promise.all(
      hosts.map(async (host) => {
        const files = await orNothing(readdir(lab.hostPaths(host.name).definitions), []);
        return files.includes(`${name}.xml`);
      }),
    );
    return hosts.filter((_, i) => has[i]).map((host) => host.name);
  }

  /** All disk, image and saved-memory files which the host sees, by its own paths. */
  async function diskFiles(host: string): Promise<string[]> {
    const paths = lab.hostPaths(host);
    const lists = await Promise.all([
      filesUnder(paths.images, lab.imagesDir),
      filesUnder(paths.saves, '/var/lib/libvirt/qemu/save'),
      filesUnder(paths.shared, lab.sharedDir),
    ]);
    return lists.flat().toSorted();
  }

  /** Disk files that the guest on that host uses, by libvirt's running (else persistent) definition. */
  async function disksOf(name: string, host: string): Promise<string[]> {
    const xml = await virsh(await lab.uri(host), 'dumpxml', name);
    if (xml === undefined) return [];
    const parser = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '',
      isArray: (tag) => tag === 'disk',
    });
    const parsed: { domain?: { devices?: { disk?: { source?: { file?: string } }[] } } } = parser.parse(xml);
    return (parsed.domain?.devices?.disk ?? []).flatMap((disk) => disk.source?.file ?? []);
  }

  /** What the guest last wrote to this disk, like `n=12 boot=1a2b3c4d name=web-1`; '' when it never did. */
  async function diskRecord(host: string, file: string, format = 'qcow2'): Promise<string> {
    const dump = await lab.exec(host, [
      'qemu-io',
      '-r',
      '-U',
      '-f',
      format,
      '-c',
      `read -v ${recordOffset} 512`,
      file,
    ]);
    const bytes = [...dump.matchAll(/^[0-9a-f]+: {2}((?:[0-9a-f]{2} )+)/gm)].map((line) =>
      (line[1] ?? '').replaceAll(' ', ''),
    );
    return (
      Buffer.from(bytes.join(''), 'hex')
        .toString('latin1')
        .split(/[\n\0]/)[0] ?? ''
    );
  }

  /** What the guest counted, over all hosts, in the order in which it happened. */
  async function ticks(name: string): Promise<Tick[]> {
    const texts = new Map<string, string>();
    for (const host of await lab.status()) {
      texts.set(host.name, await orNothing(readFile(lab.hostPaths(host.name).serialLog(name), 'latin1'), ''));
    }
    return mergeTicks(texts);
  }

  /**
   * The guest counted every number from its first (or `from`) to its last exactly once, in order, without a
   * disk error; with `sameBoot` (the default) in one boot. Throws with all that is wrong.
   */
  async function assertUnbroken(
    name: string,
    options: { sameBoot?: boolean; from?: Tick } = {},
  ): Promise<Unbroken> {
    const read = async () => {
      const all = await ticks(name);
      const start = options.from;
      return start ? all.slice(all.findIndex((tick) => tick.boot === start.boot && tick.n === start.n)) : all;
    };
    const check = (seen: Tick[]) => faults(seen, options.sameBoot ?? true);
    let seen = await read();
    if (check(seen).length > 0) {
      // A guest that moves while we read one log after the other seems to lose a tick. Look again.
      await sleep(1500);
      seen = await read();
    }
    const wrong = check(seen);
    const [first] = seen;
    const last = seen.at(-1);
    if (wrong.length > 0 || !first || !last)
      throw new Error(`${name} did not run unbroken:\n  ${wrong.join('\n  ')}`);
    const hosts = seen.map(({ host }) => host).filter((host, i, all) => host !== all[i - 1]);
    return { first, last, hosts };
  }

  /**
   * Waits until the guest's newest boot has counted beyond `after`, on that host if one is given.
   * `notBoot`: and until that is another boot than this one.
   */
  async function waitForTick(
    name: string,
    after: number,
    timeoutMs: number,
    where: { host?: string; notBoot?: string } = {},
  ): Promise<Tick> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const last = (await ticks(name)).at(-1);
      const there = where.host === undefined || last?.host === where.host;
      if (last && last.n > after && there && last.boot !== where.notBoot) return last;
      if (Date.now() > end) {
        const seen = last ? `its last is ${last.n} on ${last.host}, boot ${last.boot}` : 'it has none';
        throw new Error(`${name}: no tick after ${after} within ${timeoutMs} ms; ${seen}`);
      }
      await sleep(200);
    }
  }

  return { copies, domains, definitions, diskFiles, disksOf, diskRecord, ticks, assertUnbroken, waitForTick };
}
