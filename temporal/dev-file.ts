/** DIR/dev.json: what a `drover dev` on a data folder runs, for its commands, its successor and `--stop`. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const processId = z.object({ pid: z.number().int().positive(), startTime: z.string() });

const devFile = processId.extend({
  /** Temporal's address as a client on this machine uses it, for example `127.0.0.1:7233`. */
  address: z.string(),
  uiUrl: z.string(),
  namespace: z.string(),
  /** Everything was up once; what `--detach` waits for. */
  ready: z.boolean(),
  server: processId.optional(),
  children: z.array(processId.extend({ name: z.string() })),
});

export type DevFile = z.infer<typeof devFile>;

export function devFilePath(dataDir: string): string {
  return join(dataDir, 'dev.json');
}

/** Undefined when there is none, or one that another version wrote. */
export function readDevFile(dataDir: string): DevFile | undefined {
  try {
    return devFile.safeParse(JSON.parse(readFileSync(devFilePath(dataDir), 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Written whole by a rename: a reader, or a successor after a kill, never sees half of it. */
export function writeDevFile(dataDir: string, content: DevFile): void {
  mkdirSync(dataDir, { recursive: true });
  const draft = `${devFilePath(dataDir)}.new`;
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(draft, devFilePath(dataDir));
}

export function removeDevFile(dataDir: string): void {
  rmSync(devFilePath(dataDir), { force: true });
}
