/** Fence agents that do what a test says, and note what they were given. */
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAgents } from '../../../activities/fencing/agents.js';
import { openAgents } from '../../../activities/fencing/metadata.js';
import type { FenceDeviceConfig } from '../../../model/fence-devices.js';

const parameters = {
  action: 'string',
  ip: 'string',
  ipport: 'integer',
  username: 'string',
  password: 'string',
  ssl_insecure: 'boolean',
  power_timeout: 'second',
};

export interface FakeAgents {
  folder: string;
  /** What it was given: its arguments, its standard input and its environment, all calls. */
  seen(): string;
  /** A shell script: `$action` is what it is asked for. */
  agent(name: string, script: string, more?: Record<string, string>): void;
  fencing(
    devices: (Partial<FenceDeviceConfig> & { agent: string })[],
    env?: Record<string, string>,
  ): ReturnType<typeof createAgents>;
}

export function fakeAgents(): FakeAgents {
  const folder = mkdtempSync(join(tmpdir(), 'drover-agents-'));
  const notes = join(folder, 'seen');
  writeFileSync(notes, '');
  return {
    folder,
    seen: () => readFileSync(notes, 'utf8'),
    agent(name, script, more = {}) {
      const listed = Object.entries({ ...parameters, ...more }).map(
        ([key, type]) => `<parameter name="${key}" unique="0"><content type="${type}" /></parameter>`,
      );
      const metadata = `<?xml version="1.0" ?><resource-agent name="${name}"><parameters>${listed.join('')}</parameters></resource-agent>`;
      const text = `#!/bin/bash
if [ "$1 $2" = '-o metadata' ]; then echo '${metadata}'; exit; fi
input=$(cat)
{ echo "argv: $*"; echo "$input" | sed 's/^/stdin: /'; env | sed 's/^/env: /'; } >>'${notes}'
action=$(echo "$input" | sed -n 's/^action=//p')
password=$(echo "$input" | sed -n 's/^password=//p')
${script}
`;
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), 0o755);
    },
    fencing: (devices, env = {}) =>
      createAgents({
        config: {
          countSelfFence: false,
          hosts: {
            host1: devices.map((one, index) => ({
              level: index + 1,
              with: {},
              secrets: {},
              uuid: null,
              trustBinding: false,
              limitSeconds: 20,
              ...one,
            })),
          },
        },
        env,
        agents: openAgents([folder]),
      }),
  };
}
