import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { DroverError } from '../../model/errors.js';
import { systemClock, type Clock } from '../clock.js';
import type { HostActivities, Implement } from '../types.js';
import { findSelfFence } from './self-fence.js';
import { stopWaiting } from './stop-waiting.js';

const everyMs = 1000;
/** `systemctl reboot` answers at once; a command that hangs shall not look like a host that goes down. */
const commandMs = 30_000;

/** Work on the host itself, run by its own worker. */
export function createHostActivities(options: {
  /** The program that reboots the machine, and its arguments; run without a shell. */
  rebootCommand?: readonly string[];
  /** Linux writes another id here at each boot. */
  bootIdFile?: string;
  /** Where /proc, /sys and /etc are. */
  root?: string;
  clock?: Clock;
}): Implement<HostActivities> {
  const { rebootCommand = ['systemctl', 'reboot'], clock = systemClock, root = '/' } = options;
  const { bootIdFile = '/proc/sys/kernel/random/boot_id' } = options;
  const bootId = async () => (await readFile(bootIdFile, 'utf8')).trim();

  return {
    bootId: async () => ({ boot: await bootId() }),
    selfFence: async () => ({ armed: await findSelfFence(root) }),

    async rebootHost({ boot }, call) {
      const now = await bootId();
      if (now !== boot) return { boot: now };
      await run(rebootCommand, call.signal);
      // What answers is the attempt after the boot. This one ends with its process, or when somebody cancels it.
      for (;;) {
        call.heartbeat({ phase: 'going down', boot });
        await clock.sleep(everyMs, call.signal);
        if (call.signal.aborted) throw stopWaiting(call, 'the host to go down');
      }
    },
  };
}

async function run([file = '', ...args]: readonly string[], signal: AbortSignal): Promise<void> {
  const done = await execa(file, args, {
    stdin: 'ignore',
    reject: false,
    timeout: commandMs,
    cancelSignal: signal,
  });
  if (!done.failed) return;
  const said = done.stderr?.trim() || done.shortMessage;
  const why = done.timedOut ? `did not end within ${commandMs / 1000} s` : said;
  const command = [file, ...args].join(' ');
  throw new DroverError('HostError', `the host was not rebooted: \`${command}\`: ${why}`, {
    details: { command, exitCode: done.exitCode ?? null },
    hint: 'the worker of the host needs the right to reboot it; `drover worker --reboot-command` names another command',
  });
}
