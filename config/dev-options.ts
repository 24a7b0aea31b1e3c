/**
 * DIR/dev-options.json: how `drover dev` was last told to run on a data folder. The next one runs the same way unless
 * it is told otherwise, and the commands that work on the folder take the name of its cloud from there.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const devOptions = z.object({
  cloud: z.string().optional(),
  ip: z.string().optional(),
  port: z.int().optional(),
  uiPort: z.int().optional(),
});

export type DevOptions = z.infer<typeof devOptions>;

const fileOf = (dataDir: string): string => join(dataDir, 'dev-options.json');

/** Nothing where there is no such file, or one that another version wrote. */
export function readDevOptions(dataDir: string): DevOptions {
  try {
    return devOptions.parse(JSON.parse(readFileSync(fileOf(dataDir), 'utf8')));
  } catch {
    return {};
  }
}

/** Written whole by a rename: a reader never sees half of it. */
export function writeDevOptions(dataDir: string, options: DevOptions): void {
  mkdirSync(dataDir, { recursive: true });
  const draft = `${fileOf(dataDir)}.new`;
  writeFileSync(draft, `${JSON.stringify(options, null, 2)}\n`);
  renameSync(draft, fileOf(dataDir));
}
