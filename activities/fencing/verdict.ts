/** What an agent's exit code and words mean. All failures share exit code 1; a traceback is never shown. */
import type { FenceAnswer } from './port.js';
import type { Ran } from './run-agent.js';
import { cleaned } from '../../config/secrets.js';

type Why = Extract<FenceAnswer, { ok: false }>['why'];

/** As fence-agents 4.12 say it; measured with a real fence_redfish and fence_ipmilan (docs/fencing.md). */
const meanings: readonly [RegExp, Why, string][] = [
  [
    /Timed out waiting to power/i,
    'deaf',
    'it took the command, and the power stayed as it was; look at the machine itself',
  ],
  [
    /No route to host|Connection refused|Connection timed out|Name or service not known|Network is unreachable|ConnectTimeout|Max retries exceeded/i,
    'unreachable',
    'look whether the device has power and network, and whether its address is right',
  ],
  [
    /Unable to get PowerState|KeyError: 'Members'|Unable to connect\/login|Login failed|Unauthorized|authentication|permission denied/i,
    'refused',
    'most often the user or the password is wrong; else the address of the system within the device',
  ],
  [
    /Unable to obtain correct plug status/i,
    'refused',
    'most often the user or the password is wrong; else the device fails within itself',
  ],
];

/** `device` is told in front; nothing of `secrets` is in what it answers. */
export function verdictOf(
  device: string,
  action: 'on' | 'off' | 'status',
  ran: Ran,
  { limitSeconds, secrets }: { limitSeconds: number; secrets: readonly string[] },
): FenceAnswer {
  const { code, seconds } = ran;
  if (ran.overdue) {
    const error = `${device} did not end within ${limitSeconds} s and was ended; the device takes connections and does not answer, or is very slow`;
    return { ok: false, why: 'hung', error, seconds };
  }
  if (code === 0) return { ok: true, power: action === 'off' ? 'off' : 'on', seconds };
  if (code === 2 && action === 'status') return { ok: true, power: 'off', seconds };
  const said = `${ran.out}\n${ran.err}`;
  const [, why, advice] = meanings.find(([pattern]) => pattern.test(said)) ?? [null, 'failed' as const, null];
  const words = cleaned(lastWords(said), secrets);
  const error = `${device}: ${words || `ended with exit code ${code ?? 'none'} and said nothing`}${advice === null ? '' : `; ${advice}`}`;
  return { ok: false, why, error, seconds };
}

/** The last line that is meant for people. */
function lastWords(said: string): string {
  const lines = said
    .split('\n')
    .filter((line) => !/^\s|^Traceback|DeprecationWarning|^$/.test(line))
    .map((line) => line.replace(/^[\d-]+ [\d:,]+ (ERROR|WARNING): /, '').trim())
    .filter((line) => line !== "Please use '-h' for usage")
    // Of a connection that failed the agent tells all the layers through which it went.
    .map((line) => /\[Errno \d+\] ([^'")]+)/.exec(line)?.[1] ?? line);
  const last = lines.at(-1) ?? '';
  // The class of a Python exception says nothing to an operator.
  const bare = /^(?:\w+\.)*\w*(?:Error|Exception): (.*)$/.exec(last)?.[1];
  return (bare === undefined ? last : `the agent broke off (${bare})`).slice(0, 300);
}
