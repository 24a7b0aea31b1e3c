/**
 * The lab for programs: what lab.sh does, typed. The command line and the tests use it.
 * Paths come in two kinds: as seen inside a host (`sharedDir`), and as seen from this machine (`hostPaths`),
 * which work whether the host is up or not.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { z } from 'zod';
import { DroverError, type ErrorCode } from '../model/errors.js';

const hostStatus = z.object({
  name: z.string(),
  up: z.boolean(),
  uri: z.string(),
  /** PID 1 of the host as this machine sees it; killing it is a power loss. */
  pid: z.number().nullable(),
  /** PID of libvirtd as the host sees it. */
  libvirtd: z.number().nullable(),
  /** `up`, `down` (partitioned, or the host is down) or the rate that limits it. */
  link: z.string(),
});
export type HostStatus = z.infer<typeof hostStatus>;

export interface LabOptions {
  /** Default DROVER_LAB_DIR, then /var/lib/drover-lab. */
  dir?: string;
  /** K in 10.77.K.0/24; default DROVER_LAB_NET, then what the directory was made with, then 0. */
  net?: number;
}

export interface GuestOptions {
  name: string;
  host: string;
  /** `nas`: on storage over the network, once `lab.nas('start')` was called. */
  disk?: 'shared' | 'local' | 'nas' | 'none';
  /** MiB; below 96 the kernel does not boot. */
  mem?: number;
  /** MiB of memory that the guest writes over and over. */
  dirty?: number;
  ip?: string;
  start?: boolean;
}

/** How to reach the BMC of a host: Redfish on port 443, IPMI on 623. */
const bmcFacts = z.object({
  host: z.string(),
  address: z.string(),
  /** The host's system UUID, as libvirt tells it, too. */
  uuid: z.string(),
  user: z.string(),
  passwordFile: z.string(),
  /** Signed by itself. */
  certificate: z.string(),
});
export type BmcFacts = z.infer<typeof bmcFacts>;

/** `lab.sh bmc help` tells what each does; `swapped host2`, `slow 3`. */
export type BmcMode =
  'ok' | 'hang' | 'error' | 'refuse' | 'deaf' | 'lie' | `slow ${number}` | `swapped ${string}`;

export interface WorkerOptions {
  env?: Record<string, string>;
  cwd?: string;
}

// Long enough for the slowest good case of each; the script itself bounds every wait more tightly.
const minute = 60_000;
const buildTimeout = 10 * minute;

export type Lab = ReturnType<typeof openLab>;

export function openLab(options: LabOptions = {}) {
  const dir = options.dir ?? process.env['DROVER_LAB_DIR'] ?? '/var/lib/drover-lab';
  const net = options.net?.toString() ?? process.env['DROVER_LAB_NET'];
  const script = labScript();
  const env = { DROVER_LAB_DIR: dir, ...(net === undefined ? {} : { DROVER_LAB_NET: net }) };

  async function lab(args: readonly string[], timeout = minute): Promise<string> {
    const done = await execa(script, args, { env, timeout, stdin: 'ignore', reject: false });
    if (done.timedOut)
      throw new DroverError('TimedOut', `lab.sh ${args.join(' ')} did not end within ${timeout / 1000} s`);
    if (done.failed) throw failure(args, done.exitCode, done.stderr);
    return done.stdout;
  }

  async function status(): Promise<HostStatus[]> {
    return z.array(hostStatus).parse(JSON.parse(await lab(['status', '--json'])));
  }

  /** `host2` and `2` are the same host. */
  const hostName = (host: string) => `host${host.replace(/^host/, '')}`;
  const hostRoot = (host: string) => join(dir, 'hosts', hostName(host));

  async function hostNamed(host: string): Promise<HostStatus> {
    const found = (await status()).find((one) => one.name === hostName(host));
    if (!found) throw new DroverError('NotFound', `the lab in ${dir} has no ${hostName(host)}`);
    return found;
  }

  return {
    dir,
    status,
    hostRoot,

    /** As seen inside every host. */
    sharedDir: '/srv/shared',
    imagesDir: '/var/lib/libvirt/images',
    /** Where the kernel and the initrd of the guest are, read-only, inside every host. */
    guestDir: '/srv/guest',

    /** A host's own files as this machine sees them; readable after a crash too. */
    hostPaths: (host: string) => ({
      definitions: join(hostRoot(host), 'etc/qemu'),
      images: join(hostRoot(host), 'lib/images'),
      saves: join(hostRoot(host), 'lib/qemu/save'),
      shared: join(dir, 'shared'),
      /** The files of the storage over the network, as its server has them. */
      nas: join(dir, 'nas/brick'),
      serialLog: (guest: string) => join(hostRoot(host), 'log/libvirt/qemu', `${guest}.serial`),
      workerLog: join(hostRoot(host), 'log/worker.log'),
      droverState: join(hostRoot(host), 'drover'),
    }),

    hostNamed,
    uri: async (host: string): Promise<string> => (await hostNamed(host)).uri,

    /** This machine's address in the lab's network: where the hosts reach Temporal. */
    async gateway(): Promise<string> {
      const [first] = await status();
      if (!first) throw new DroverError('NotFound', `the lab in ${dir} has no hosts`);
      return new URL(first.uri).hostname.replace(/\.\d+$/, '.1');
    },

    up: (hosts = 3) => lab(['up', String(hosts)], buildTimeout),
    down: () => lab(['down'], 2 * minute),
    wipe: () => lab(['wipe'], 2 * minute),
    /** Power loss. */
    crash: (host: string) => lab(['crash', host]),
    boot: (host: string) => lab(['boot', host], buildTimeout),
    libvirtd: (host: string, action: 'start' | 'stop' | 'kill') => lab(['libvirtd', host, action]),
    partition: (host: string) => lab(['partition', host]),
    heal: (host: string) => lab(['heal', host]),
    /** Rate in the words of tc, like `20mbit`; null lifts the limit. */
    link: (host: string, rate: string | null) => lab(['link', host, rate ?? 'off']),
    exec: (host: string, command: readonly string[], timeout = minute) =>
      lab(['exec', host, ...command], timeout),

    createGuest({ name, host, start, ...settings }: GuestOptions): Promise<string> {
      const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
      return lab(['guest', 'create', name, host, ...words, ...(start === false ? ['start=no'] : [])]);
    },
    removeGuest: (name: string) => lab(['guest', 'remove', name]),
    fleet: (guests: number) => lab(['guest', 'fleet', String(guests)], 5 * minute),
    /** `dirty MIB`, `poweroff` or `reboot`, through the serial console. */
    tellGuest: (name: string, host: string, words: string) => lab(['guest', 'tell', name, host, words]),
    /** Path of the bootable disk image of the guest, on this machine and in every host. */
    guestImage: () => lab(['guest', 'image'], buildTimeout),

    /** Starts the BMC of a host, which has its power and goes on while it is off; or tells of one that runs. */
    bmc: async (host: string): Promise<BmcFacts> =>
      bmcFacts.parse(JSON.parse(await lab(['bmc', host, 'start']))),
    bmcMode: (host: string, mode: BmcMode) => lab(['bmc', host, 'mode', ...mode.split(' ')]),
    /** `stop`: its ports are closed. `cut`: no route leads to it. */
    bmcPower: (host: string, action: 'stop' | 'cut' | 'heal') => lab(['bmc', host, action]),

    /** Storage over the network, in each host at /srv/nas: it is mounted again at each boot. */
    nas: (action: 'start' | 'crash' | 'cut' | 'heal') => lab(['nas', action], 2 * minute),
    nasDir: '/srv/nas',

    reboot: (host: string) => lab(['reboot', host]),
    /** For a host's worker: how a host of the lab is rebooted from within. */
    rebootFlags: ['--reboot-command', 'kill -TERM 1'],

    /** Installs the command as the host's worker: it starts at every boot of the host, and now. */
    installWorker: (
      host: string,
      command: readonly string[],
      { env: settings = {}, cwd }: WorkerOptions = {},
    ) =>
      lab([
        'worker',
        host,
        ...Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
        ...(cwd === undefined ? [] : ['--cwd', cwd]),
        '--',
        ...command,
      ]),
    worker: (host: string, action: 'start' | 'stop' | 'kill' | 'remove') => lab(['worker', host, action]),
  };
}

/** lab.sh stays in lab/ of the package; this module may run from there or from dist/. */
function labScript(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    const script = join(at, 'lab', 'lab.sh');
    if (existsSync(join(at, 'package.json')) && existsSync(script)) return script;
  }
  throw new DroverError('NotFound', 'lab/lab.sh is not part of this installation', {
    hint: 'use the lab from a checkout of the source',
  });
}

function failure(args: readonly string[], exitCode: number | undefined, stderr: string): DroverError {
  const [command] = args;
  // `exec` passes the exit code of its command on, so only the lab's own errors have these meanings.
  const own = /^lab: (.*)$/ms.exec(stderr)?.[1];
  const codes: Record<number, ErrorCode> = { 2: 'InvalidInput', 3: 'Unsupported' };
  const code = own === undefined || exitCode === undefined ? undefined : codes[exitCode];
  const message = own ?? `lab.sh ${command} failed: ${stderr.trim() || `exit code ${exitCode}`}`;
  return new DroverError(code ?? 'HypervisorError', message, { details: { args, exitCode, stderr } });
}
