import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * Notes of the disks that this host offers to others: a worker that was killed leaves the process behind, and the
 * next attempt finds it by its note. A process is ours only when its command line holds the export's random name.
 */
const note = z.object({
  name: z.guid(),
  instance: z.string(),
  path: z.string(),
  pid: z.int(),
  address: z.string(),
  port: z.int(),
});
export type Export = z.infer<typeof note>;

export interface Exports {
  read(name: string): Promise<Export | null>;
  of(instance: string): Promise<Export[]>;
  write(given: Export): Promise<void>;
  remove(name: string): Promise<void>;
}

export function createExports(stateDir: string): Exports {
  const directory = join(stateDir, 'exports');
  const fileOf = (name: string): string => join(directory, `${z.guid().parse(name)}.json`);

  async function read(name: string): Promise<Export | null> {
    const text = await readFile(fileOf(name), 'utf8').catch(() => null);
    const parsed = text === null ? null : note.safeParse(JSON.parse(text));
    return parsed?.success === true ? parsed.data : null;
  }

  return {
    read,
    async of(instance) {
      const files = await readdir(directory).catch(() => []);
      const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));
      const all = await Promise.all(names.map(read));
      return all.filter((found) => found?.instance === instance).filter((found) => found !== null);
    },
    async write(given) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = fileOf(given.name);
      await writeFile(`${file}.new`, JSON.stringify(given), { mode: 0o600, flush: true });
      await rename(`${file}.new`, file);
    },
    async remove(name) {
      await unlink(fileOf(name)).catch(() => undefined);
    },
  };
}

/** Whether the process still runs that serves the export: a number may be another process's by now. */
export async function isServed({ pid, name }: Pick<Export, 'pid' | 'name'>): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return line.includes(name);
}
