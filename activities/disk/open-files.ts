import { readdir, readFile, stat } from 'node:fs/promises';

/**
 * The processes of this host that have the file open, as `pid (name)`. By device and inode, so that another name
 * or mount of the file does not hide one. Not by qemu's image lock: that is advisory, and some network
 * file systems do not carry it, so it proves neither use nor disuse. An emulator whose files we may not see
 * counts as a holder: a worker without the rights must not take its disk for one that nobody uses.
 */
export async function whoHasOpen(file: { dev: number; ino: number }): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const holders = await Promise.all(
    processes.map(async (pid) => {
      const open = await hasOpen(pid, file);
      if (open === false) return null;
      const name = await nameOf(pid);
      if (open) return `${pid} (${name})`;
      return /^(qemu|kvm)/.test(name) ? `${pid} (${name}, perhaps: its files are hidden from us)` : null;
    }),
  );
  return holders.filter((holder) => holder !== null);
}

/** null when we may not know. */
async function hasOpen(pid: string, file: { dev: number; ino: number }): Promise<boolean | null> {
  // Processes and descriptors come and go while we look.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch((error: NodeJS.ErrnoException) =>
    error.code === 'EACCES' || error.code === 'EPERM' ? null : [],
  );
  if (descriptors === null) return null;
  for (const descriptor of descriptors) {
    const target = await stat(`/proc/${pid}/fd/${descriptor}`).catch(() => null);
    if (target !== null && target.ino === file.ino && target.dev === file.dev) return true;
  }
  return false;
}

async function nameOf(pid: string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'gone')).trim();
}
