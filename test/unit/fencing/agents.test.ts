import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { callOf } from '../../call.js';
import { createFencingActivities } from '../../../activities/fencing/activities.js';
import type { Inventory } from '../../../activities/inventory/database.js';
import { fakeAgents } from './fake-agents.js';

const host = { name: 'host1', uri: 'qemu+tcp://h/system' };
const call = callOf(null);
const canary = 'kanarienvogel/7&x';

describe('an agent', () => {
  test('is given its parameters on standard input, and only off, on and status', async () => {
    const fakes = fakeAgents();
    fakes.agent('fence_a', 'if [ $action = status ]; then exit 2; fi');
    const fencing = fakes.fencing([{ agent: 'fence_a', with: { ip: '10.0.0.1' } }]);
    expect(await fencing.devices(host)).toEqual([{ name: 'host1/1 (fence_a)', level: 1 }]);
    expect(await fencing.off(host, 'host1/1 (fence_a)')).toMatchObject({ ok: true, power: 'off' });
    const lines = fakes.seen().split('\n');
    expect(lines.filter((line) => line.startsWith('argv'))).toEqual(['argv: ', 'argv: ']);
    expect(lines.filter((line) => line.startsWith('stdin'))).toEqual([
      'stdin: ip=10.0.0.1',
      'stdin: action=off',
      'stdin: ip=10.0.0.1',
      'stdin: action=status',
    ]);
  });

  test('that says off of what is still on is deaf, and one that fails although it is off did its work', async () => {
    const fakes = fakeAgents();
    fakes.agent('fence_yes', 'exit 0');
    fakes.agent('fence_no', 'if [ $action = status ]; then exit 2; fi; echo "ERROR: oops" >&2; exit 1');
    const fencing = fakes.fencing([{ agent: 'fence_yes' }, { agent: 'fence_no' }]);
    expect(await fencing.off(host, 'host1/1 (fence_yes)')).toMatchObject({ ok: false, why: 'deaf' });
    expect(await fencing.off(host, 'host1/2 (fence_no)')).toMatchObject({ ok: true, power: 'off' });
  });

  test('that never returns is ended with all that it started', async () => {
    const fakes = fakeAgents();
    const late = join(fakes.folder, 'late');
    fakes.agent('fence_hang', `(sleep 2; touch '${late}') & sleep 60`);
    const fencing = fakes.fencing([{ agent: 'fence_hang', limitSeconds: 1 }]);
    const answer = await fencing.off(host, 'host1/1 (fence_hang)');
    expect(answer).toMatchObject({ ok: false, why: 'hung' });
    await sleep(2_500);
    expect(existsSync(late)).toBe(false);
  });

  test('that ends leaves nothing running', async () => {
    const fakes = fakeAgents();
    const late = join(fakes.folder, 'late');
    fakes.agent('fence_leaves', `(sleep 1; touch '${late}') & exit 0`);
    expect(
      await fakes.fencing([{ agent: 'fence_leaves' }]).status(host, 'host1/1 (fence_leaves)'),
    ).toMatchObject({
      ok: true,
    });
    await sleep(1_500);
    expect(existsSync(late)).toBe(false);
  });

  test.each([
    ['echo "2026-01-01 00:00:00,000 ERROR: Failed: Timed out waiting to power OFF" >&2', 'deaf'],
    [
      `printf '%s\\n' "2026-01-01 00:00:00,000 ERROR: Failed: send_get_request: HTTPSConnectionPool(host='10.0.0.1', port=443): Max retries exceeded with url: /redfish/v1 (Caused by NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7feaf617cf50>: Failed to establish a new connection: [Errno 113] No route to host'))" '' "2026-01-01 00:00:00,000 ERROR: Please use '-h' for usage" >&2`,
      'unreachable',
    ],
    ['echo "ERROR: Unable to get PowerState: https://10.0.0.1" >&2', 'refused'],
    [
      `printf '%s\\n' 'Traceback (most recent call last):' '  File "x", line 1, in y' "KeyError: 'Members'" >&2`,
      'refused',
    ],
    ['echo "ERROR: something else" >&2', 'failed'],
    ['true', 'failed'],
  ])('that says %s means %s, in one sentence', async (script, why) => {
    const fakes = fakeAgents();
    fakes.agent('fence_says', `${script}; exit 1`);
    const answer = await fakes.fencing([{ agent: 'fence_says' }]).status(host, 'host1/1 (fence_says)');
    expect(answer).toMatchObject({ ok: false, why });
    const error = answer.ok ? '' : answer.error;
    expect(error).toMatch(/^host1\/1 \(fence_says\)/);
    expect(error).not.toMatch(/Traceback|File "|\n|2026-01-01|urllib3|usage/);
  });
});

test('one that can not tell whose power it has is used by the word of its configuration alone', async () => {
  const fakes = fakeAgents();
  fakes.agent('fence_pdu', 'if [ $action = status ]; then exit 2; fi');
  const off = async (trustBinding: boolean) => {
    const fencing = fakes.fencing([{ agent: 'fence_pdu', trustBinding }]);
    const ask = { host, device: 'host1/1 (fence_pdu)', systemUuid: 'u', incident: 'i' };
    return createFencingActivities({ fencing, inventory: {} as Inventory }).fenceOff(ask, call);
  };
  expect(await off(false)).toMatchObject({
    binding: { binding: 'unknown' },
    answer: { ok: false, why: 'refused', error: expect.stringContaining('`trust_binding: true`') },
  });
  expect(fakes.seen()).not.toContain('action=off');
  expect(await off(true)).toMatchObject({
    binding: { binding: 'trusted' },
    answer: { ok: true, power: 'off' },
  });
});

describe('a parameter', () => {
  test('that the agent does not know is refused before anything is asked, with what was meant', async () => {
    const fakes = fakeAgents();
    fakes.agent('fence_a', 'exit 0');
    const fencing = fakes.fencing([{ agent: 'fence_a', with: { ip_port: '1' } }]);
    const answer = await fencing.off(host, 'host1/1 (fence_a)');
    expect(answer).toMatchObject({ ok: false, why: 'failed' });
    expect(answer.ok ? '' : answer.error).toContain('no parameter "ip_port"; did you mean "ipport"?');
    expect(fakes.seen()).toBe('');
  });

  test('that is a no, which some agents take for a yes, is left out', async () => {
    const fakes = fakeAgents();
    fakes.agent('fence_a', 'exit 0');
    await fakes
      .fencing([{ agent: 'fence_a', with: { ssl_insecure: '0' } }])
      .status(host, 'host1/1 (fence_a)');
    expect(fakes.seen()).not.toContain('ssl_insecure');
  });

  test('an agent that is not installed says how to have it', async () => {
    const fencing = fakeAgents().fencing([{ agent: 'fence_none' }]);
    const answer = await fencing.status(host, 'host1/1 (fence_none)');
    expect(answer.ok ? '' : answer.error).toContain('apt-get install fence-agents');
  });
});

describe('a secret', () => {
  test('is in no argument, in no answer and in no environment but that of ipmitool, however the agent shouts it', async () => {
    const fakes = fakeAgents();
    const file = join(fakes.folder, 'secret');
    writeFileSync(file, `${canary}\n`);
    chmodSync(file, 0o600);
    fakes.agent(
      'fence_shouts',
      'echo "$password"; echo "ERROR: login with $password at https://u:$(printf %s "$password" | base64)@h failed" >&2; exit 1',
    );
    const fencing = fakes.fencing(
      [
        { agent: 'fence_shouts', secrets: { password: `file:${file}` } },
        { agent: 'fence_shouts', secrets: { password: 'env:BMC' } },
      ],
      { BMC: canary, OTHER: 'x' },
    );
    const activities = createFencingActivities({ fencing, inventory: {} as Inventory });
    const told: unknown[] = [];
    for (const device of ['host1/1 (fence_shouts)', 'host1/2 (fence_shouts)']) {
      const ask = { host, device, systemUuid: null };
      told.push(await activities.fenceStatus(ask, call));
      told.push(await activities.fenceOff({ ...ask, incident: 'i' }, call));
      told.push(await activities.fenceOn(ask, call));
    }
    const text = JSON.stringify(told);
    expect(text).toContain('***');
    for (const form of [
      canary,
      encodeURIComponent(canary),
      Buffer.from(canary).toString('base64').slice(0, -2),
    ])
      expect(text).not.toContain(form);
    const seen = fakes.seen().split('\n');
    expect(
      seen.filter((line) => line.includes(canary)).every((line) => line === `stdin: password=${canary}`),
    ).toBe(true);
    expect(seen).toContain(`stdin: password=${canary}`);
  });

  test('that can not be read fails the device and names the reference', async () => {
    const fakes = fakeAgents();
    fakes.agent('fence_a', 'exit 0');
    const fencing = fakes.fencing([{ agent: 'fence_a', secrets: { password: 'env:NOT_THERE' } }]);
    const answer = await fencing.off(host, 'host1/1 (fence_a)');
    expect(answer.ok ? '' : answer.error).toContain('env:NOT_THERE is not set');
    expect(fakes.seen()).toBe('');
  });

  test('for ipmitool goes through its environment, never through its arguments', async () => {
    const fakes = fakeAgents();
    // As fence_ipmilan does it: an empty password where it was given none.
    const tool = join(fakes.folder, 'ipmitool');
    writeFileSync(
      tool,
      `#!/bin/bash\n{ echo "tool: $*"; env | sed 's/^/tool env: /'; } >>'${join(fakes.folder, 'seen')}'\n`,
    );
    chmodSync(tool, 0o755);
    fakes.agent(
      'fence_ipmi',
      `path=$(echo "$input" | sed -n 's/^ipmitool_path=//p'); PATH=${fakes.folder}:$PATH "$path" -I lanplus -P '' -U admin chassis power status`,
      { ipmitool_path: 'string', lanplus: 'boolean' },
    );
    const fencing = fakes.fencing([{ agent: 'fence_ipmi', secrets: { password: 'env:BMC' } }], {
      BMC: canary,
    });
    expect(await fencing.status(host, 'host1/1 (fence_ipmi)')).toMatchObject({ ok: true, power: 'on' });
    const seen = fakes.seen().split('\n');
    expect(seen).toContain('tool: -E -I lanplus -U admin chassis power status');
    expect(seen).toContain(`tool env: IPMITOOL_PASSWORD=${canary}`);
    expect(seen.filter((line) => /^(argv|stdin|tool:)/.test(line) && line.includes(canary))).toEqual([]);
  });
});
