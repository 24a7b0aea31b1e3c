import { execa } from 'execa';
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { DiskFormat } from './format.js';

const quickMs = 30_000;
/** Converting is bounded by the activity's heartbeat and cancellation; this only ends a hung one. */
const convertMs = 6 * 3600 * 1000;

async function qemuImg(
  args: string[],
  limitMs: number,
  signal?: AbortSignal,
  told?: (text: string) => void,
): Promise<string> {
  const client = execa('qemu-img', args, {
    env: { LC_ALL: 'C' },
    timeout: limitMs,
    killSignal: 'SIGKILL',
    stdin: 'ignore',
    reject: false,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  client.stdout.on('data', (text: Buffer) => told?.(text.toString()));
  const result = await client;
  if (!result.failed) return result.stdout;
  const [first = 'qemu-img failed'] = result.stderr.split('\n').filter((line) => line.trim() !== '');
  const why = result.timedOut ? `did not end within ${limitMs / 1000} s` : first.replace(/^qemu-img: /, '');
  throw new DroverError('DiskError', `qemu-img ${args[0]}: ${why}`);
}

const info = z.object({
  'virtual-size': z.number(),
  'actual-size': z.number(),
  'backing-filename': z.string().optional(),
});

/** `path` is absolute, so qemu can't take it for an option or a protocol. Sizes in bytes. */
export async function imageInfo(
  path: string,
  format: DiskFormat,
  { unused = false }: { unused?: boolean } = {},
): Promise<{ bytes: number; allocatedBytes: number; backing: string | null }> {
  // -U: the disk of a running guest is locked; reading its header does no harm.
  const anyway = unused ? [] : ['-U'];
  const text = await qemuImg(['info', ...anyway, '-f', format, '--output=json', path], quickMs).catch(
    (error: unknown) => {
      throw error instanceof DroverError && /\block\b/.test(error.message) ? inUse(path, error) : error;
    },
  );
  const found = info.parse(JSON.parse(text));
  return {
    bytes: found['virtual-size'],
    allocatedBytes: found['actual-size'],
    backing: found['backing-filename'] ?? null,
  };
}

export async function createImage(path: string, format: DiskFormat, bytes: number): Promise<void> {
  await qemuImg(['create', '-q', '-f', format, path, String(bytes)], quickMs);
}

export async function convertImage(
  from: string,
  format: DiskFormat,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  await qemuImg(['convert', '-f', format, '-O', 'qcow2', from, to], convertMs, signal);
}

/**
 * Copies what another host exports. `nbd:` is ours and not the user's: the parts are an address, a number and a
 * random name. The format of the copy is given; what the export holds is the disk as the guest sees it.
 */
export async function copyExport(
  from: { address: string; port: number; name: string },
  to: { path: string; format: DiskFormat },
  call: { signal: AbortSignal; progress: (percent: number) => void },
): Promise<void> {
  const host = from.address.includes(':') ? `[${from.address}]` : from.address;
  const url = `nbd://${host}:${from.port}/${from.name}`;
  const args = ['convert', '-p', '-f', 'raw', '-O', to.format, url, to.path];
  await qemuImg(args, convertMs, call.signal, (text) => {
    const percent = /\(([\d.]+)\/100%\)\s*$/.exec(text)?.[1];
    if (percent !== undefined) call.progress(Number(percent));
  });
}

export async function enlargeImage(path: string, format: DiskFormat, bytes: number): Promise<void> {
  await qemuImg(['resize', '-q', '-f', format, path, String(bytes)], quickMs);
}

/** qemu's own lock, told as what it is. A network file system may drop the lock of a host that it does not hear of. */
const inUse = (path: string, cause: Error): DroverError =>
  new DroverError(
    'DiskLocked',
    `${path} is locked: a process that runs, here or on another host, writes to it`,
    {
      cause,
      hint: 'find that process before anything else is started on the disk: whatever was said of its host, it is not off',
    },
  );
