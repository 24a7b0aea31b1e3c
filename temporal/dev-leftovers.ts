/** What a supervisor that was killed left running: exactly those which dev.json names, by pid and start time. */
import { removeDevFile, type DevFile } from './dev-file.js';
import { DRAIN_MS } from './dev-session.js';
import { endProcess, isAlive } from './processes.js';

/** Workers first, so that they can report to the server what they finished; then the server. */
export async function endLeftovers(
  dataDir: string,
  file: DevFile,
  print: (line: string) => void,
): Promise<void> {
  const left = processesOf(file).filter(isAlive);
  if (left.length > 0) {
    print(
      `an earlier drover dev was killed: ending what it left (pids ${left.map(({ pid }) => pid).join(', ')})`,
    );
    await Promise.all(file.children.map((child) => endProcess(child, { graceMs: DRAIN_MS })));
    if (file.server !== undefined) await endProcess(file.server, { graceMs: DRAIN_MS });
  }
  removeDevFile(dataDir);
}

export function processesOf({ server, children }: DevFile): DevFile['children'] {
  return server === undefined ? children : [...children, { name: 'server', ...server }];
}
