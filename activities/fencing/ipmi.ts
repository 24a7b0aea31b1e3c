/**
 * ipmitool, by which fence_ipmilan and its kin work, takes a password in its arguments, where everybody on the machine may read
 * it until ipmitool has blanked it, or in its environment. The agents give it the former: so they are given none, and another ipmitool that adds it.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isYes } from './parameters.js';
import { runProgram } from './run-agent.js';
import { fromIpmi } from './uuids.js';

const limitMs = 15_000;
/** As the agents name it. */
const passwordKeys = ['password', 'passwd'];
/** ipmitool reads it from here with -E. */
const passwordVariable = 'IPMITOOL_PASSWORD';

const wrapper = `#!/bin/bash
# Without the empty password of the agent: the right one is in the environment.
args=()
while [ $# -gt 0 ]; do
  if [ "$1" = -P ]; then shift 2; else args+=("$1"); shift; fi
done
exec ipmitool -E "\${args[@]}"
`;

/** Lets an agent that runs ipmitool do so without a password in any argument. */
export async function withoutPassword<T>(
  given: Readonly<Record<string, string>>,
  work: (given: Record<string, string>, env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const password = passwordKeys.map((key) => given[key]).find((value) => value !== undefined);
  if (password === undefined || given['ipmitool_path'] !== undefined) return work({ ...given }, {});
  const rest = Object.fromEntries(Object.entries(given).filter(([key]) => !passwordKeys.includes(key)));
  const folder = await mkdtemp(join(tmpdir(), 'drover-fence-'));
  try {
    const path = join(folder, 'ipmitool');
    await writeFile(path, wrapper);
    await chmod(path, 0o700);
    return await work({ ...rest, ipmitool_path: path }, { [passwordVariable]: password });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The GUID of the system, in the order of the IPMI specification (others differ: `sameMachine`); null where the BMC tells none. */
export async function ipmiGuid(
  given: Readonly<Record<string, string>>,
): Promise<{ uuid: string | null } | { error: string }> {
  const take = (flag: string, ...keys: string[]): string[] => {
    const value = keys.map((key) => given[key]).find((text) => text !== undefined);
    return value === undefined ? [] : [flag, value];
  };
  const password = passwordKeys.map((key) => given[key]).find((value) => value !== undefined);
  const args = [
    '-I',
    isYes(given['lanplus']) ? 'lanplus' : 'lan',
    ...take('-H', 'ip', 'ipaddr'),
    ...take('-p', 'ipport'),
    ...take('-U', 'username', 'login'),
    ...take('-C', 'cipher'),
    ...take('-L', 'privlvl'),
    ...(password === undefined ? [] : ['-E']),
    '-N',
    '2',
    '-R',
    '1',
    'raw',
    '6',
    '0x37',
  ];
  const env: Record<string, string> = password === undefined ? {} : { [passwordVariable]: password };
  const { code, out, err, overdue } = await runProgram(given['ipmitool_path'] ?? 'ipmitool', {
    args,
    env,
    limitMs,
  });
  const hex = out.replaceAll(/\s/g, '').toLowerCase();
  if (code === 0 && /^[0-9a-f]{32}$/.test(hex)) return { uuid: fromIpmi(hex) };
  if (overdue) return { error: `it did not answer within ${limitMs / 1000} s` };
  // A command that the BMC does not know is no failure: it tells nothing.
  if (/rsp=0x(c1|d4)/.test(err)) return { uuid: null };
  return {
    error:
      err
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/^Error: /, '') ?? `ipmitool ended with ${code}`,
  };
}
