import { execa } from 'execa';
import { setTimeout as delay } from 'node:timers/promises';

/** Command lines of what works on a folder, asked of the system and not of drover's own notes. */
export async function processesOn(folder: string): Promise<string[]> {
  const look = async (): Promise<string[]> => {
    const { stdout } = await execa('ps', ['-axww', '-o', 'pid=,stat=,command=']);
    return stdout.split('\n').filter((line) => line.includes(folder) && !/^\s*\d+ Z/.test(line));
  };
  // What has just forked has its parent's command line for a moment.
  const before = await look();
  if (before.length === 0) return [];
  await delay(500);
  return (await look()).filter((line) => before.includes(line));
}
