import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * A note beside drover's state, not beside the disk: this worker made that file for that instance. It tells a
 * repeated step from a file that was there before, which nobody may overwrite or remove as if it were ours.
 */
const note = z.object({ path: z.string(), instance: z.string(), operation: z.string() });
export type Made = z.infer<typeof note>;

export interface MadeNotes {
  read(path: string): Promise<Made | null>;
  list(): Promise<Made[]>;
  write(made: Made): Promise<void>;
  remove(path: string): Promise<void>;
}

export function createMadeNotes(stateDir: string): MadeNotes {
  const directory = join(stateDir, 'disks');
  const fileOf = (path: string): string =>
    join(directory, `${createHash('sha256').update(path).digest('hex')}.json`);

  return {
    async read(path) {
      const text = await readFile(fileOf(path), 'utf8').catch(() => null);
      if (text === null) return null;
      const parsed = note.safeParse(JSON.parse(text));
      return parsed.success && parsed.data.path === path ? parsed.data : null;
    },
    async list() {
      const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json'));
      const texts = await Promise.all(
        names.map((name) => readFile(join(directory, name), 'utf8').catch(() => 'null')),
      );
      return texts.flatMap((text) => {
        const parsed = note.safeParse(JSON.parse(text));
        return parsed.success ? [parsed.data] : [];
      });
    },
    async write(made) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = fileOf(made.path);
      await writeFile(`${file}.new`, JSON.stringify(made), { mode: 0o600, flush: true });
      await rename(`${file}.new`, file);
    },
    async remove(path) {
      await unlink(fileOf(path)).catch(() => undefined);
    },
  };
}
