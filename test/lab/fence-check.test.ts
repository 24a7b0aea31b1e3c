/** The command line, a real Temporal and real agents: what is told of fence devices, and that nobody ever reads a secret. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.js';
import { openWorld, type World } from './world.js';

let world: World;
let password: string;

beforeAll(async () => {
  world = await openWorld(1, { configure });
});
afterAll(() => world.close());

async function configure(lab: Lab): Promise<string> {
  const { address, passwordFile } = await lab.bmc('host1');
  password = readFileSync(passwordFile, 'utf8').trim();
  return `fencing:
  check: never
  hosts:
    host1:
      - agent: fence_redfish
        with: { ip: ${address}, username: admin, ssl_insecure: true }
        secrets: { password: file:${passwordFile} }
      - agent: fence_ipmilan
        with: { ip: ${address}, username: admin, lanplus: true }
        secrets: { password: file:${passwordFile} }
`;
}

interface Row {
  device: string;
  ready: boolean;
  binding: string;
  power: string | null;
  error: string | null;
}

test('devices are asked by the worker, told with their binding and power, and their password is nowhere', async () => {
  const argv = watchArguments();
  const rows = await world.json<Row[]>('host', 'fence-check', 'host1');
  expect(rows).toMatchObject([
    { device: 'host1/1 (fence_redfish)', ready: true, binding: 'same', power: 'on' },
    { device: 'host1/2 (fence_ipmilan)', ready: true, binding: 'same', power: 'on' },
  ]);

  await world.lab.bmcMode('host1', 'refuse');
  const refused = await world.drover('host', 'fence-check', '--all', '-o', 'json');
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.out)).toMatchObject([
    { ready: false, power: null, error: expect.stringContaining('password is wrong') as string },
    { ready: false, power: null, error: expect.stringContaining('password is wrong') as string },
  ]);
  const doctor = await world.drover('doctor');
  expect(doctor.out).toContain('host1/1 (fence_redfish) would not do its work');

  expect(await argv.stop()).toEqual([]);
  const client = await world.client();
  let histories = 0;
  for await (const { workflowId, runId, type } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    if (type === 'fence-check') histories += 1;
    expect(spelled(history)).not.toContain(password);
  }
  expect(histories).toBe(2);
  await client.connection.close();
  expect(world.workerLog() + refused.out + refused.err + doctor.out).not.toContain(password);
  for (const file of readdirSync(world.dir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    expect(readFileSync(join(file.parentPath, file.name)).includes(password), file.name).toBe(false);
  }
});

/** Payloads as text, whatever they are wrapped in. */
const spelled = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Uint8Array) return Buffer.from(part).toString();
    return typeof part === 'bigint' ? String(part) : part;
  });

/** The arguments of all processes of this machine in which the password was seen. */
function watchArguments(): { stop(): Promise<string[]> } {
  const seen = new Set<string>();
  const ended = new AbortController();
  const watch = async () => {
    while (!ended.signal.aborted) {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        const line = argumentsOf(pid);
        if (line.includes(password)) seen.add(line.replaceAll(password, 'PASSWORD'));
      }
      await sleep(5);
    }
  };
  const done = watch();
  return {
    async stop() {
      ended.abort();
      await done;
      return [...seen];
    },
  };
}

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
