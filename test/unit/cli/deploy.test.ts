/** What deploy/ runs exists: each command with its options, each file that an image copies. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildProgram } from '../../../cli/program.js';
import { loadConfig } from '../../../config/config.js';

const root = join(import.meta.dirname, '../../..');
const deploy = join(root, 'deploy');
const text = (...path: string[]): string => readFileSync(join(deploy, ...path), 'utf8');

interface Service {
  image: string;
  command?: string[];
  secrets?: string[];
  depends_on?: string[] | Record<string, unknown>;
}
const compose = parse(text('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>;
  secrets: Record<string, unknown>;
  volumes: Record<string, unknown>;
};

const units = readdirSync(join(deploy, 'systemd'));
const commands: [string, string[]][] = [
  ...units.map((unit): [string, string[]] => {
    const [, words = ''] = /^ExecStart=\/usr\/bin\/drover (.*)$/m.exec(text('systemd', unit)) ?? [];
    return [unit, words.split(' ')];
  }),
  ...Object.entries(compose.services).flatMap(([name, { image, command = [] }]): [string, string[]][] =>
    image.startsWith('drover:') ? [[`compose ${name}`, command]] : [],
  ),
];

/** The command that the words name, and its options. */
async function find(words: readonly string[]): Promise<Command | undefined> {
  const program = await buildProgram(words);
  return program.commands.find((command) => command.name() === words[0]);
}

describe('each command', () => {
  it('is found in units and compose', () => expect(commands.length).toBeGreaterThanOrEqual(9));

  it.each(commands)('%s: %j', async (_where, words) => {
    const command = await find(words);
    const flags = words.filter((word) => word.startsWith('--'));
    expect(command?.options.map(({ long }) => long)).toEqual(expect.arrayContaining(flags));
  });
});

describe('compose.yaml', () => {
  const { services, secrets, volumes } = compose;
  it('names versions, and only secrets, services and volumes that there are', () => {
    for (const [name, { image, secrets: used = [], depends_on: needs = [] }] of Object.entries(services)) {
      expect([name, image]).toEqual([name, expect.stringMatching(/:\d+\.\d+/)]);
      expect(Object.keys(secrets)).toEqual(expect.arrayContaining(used));
      expect(Object.keys(services)).toEqual(
        expect.arrayContaining(Array.isArray(needs) ? needs : Object.keys(needs)),
      );
    }
    const mounted = [...text('compose.yaml').matchAll(/'([a-z-]+):\/var\/lib/g)].map(([, name]) => name);
    expect(Object.keys(volumes)).toEqual(mounted);
  });

  it('has a configuration that drover takes', async () => {
    const config = await loadConfig({ file: join(deploy, 'example/drover.yaml'), env: {} });
    expect(config).toMatchObject({ cloud: 'example', recovery: { vantages: ['north', 'south'] } });
  });
});

it('the image copies what there is, runs as nobody special, and lacks what builds it', () => {
  const file = text('docker/Dockerfile');
  const copied = [...file.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths = '']) =>
    paths.split(' '),
  );
  expect(copied.length).toBeGreaterThan(4);
  for (const path of copied)
    expect([path, existsSync(join(root, path.replace('*.yaml', 'drain-host.yaml')))]).toEqual([path, true]);
  expect(file).toMatch(/^USER node$/m);
  expect(file).toMatch(/npm ci --omit=dev/);
});
