import { readdir, readFile, stat } from 'node:fs/promises';

/**
 * The processes of this host that have the file open, as `pid (name)`. By device and inode, so that another name
 * or mount of the file does not hide one. Not by qemu's image lock: that is advisory, and some network
 * file systems do not carry it, so it proves neither use nor disuse.
 */
export async function whoHasOpen(file: { dev: number; ino: number }): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const holders = await Promise.all(
    processes.map(async (pid) => ((await hasOpen(pid, file)) ? `${pid} (${await nameOf(pid)})` : null)),
  );
  return holders.filter((holder) => holder !== null);
}

async function hasOpen(pid: string, file: { dev: number; ino: number }): Promise<boolean> {
  // Processes and descriptors come and go while we look.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await stat(`/proc/${pid}/fd/${descriptor}`).catch(() => null);
    if (target !== null && target.ino === file.ino && target.dev === file.dev) return true;
  }
  return false;
}

async function nameOf(pid: string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'gone')).trim();
}
